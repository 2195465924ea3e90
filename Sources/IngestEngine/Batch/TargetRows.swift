import PGWire

/// The rows of one target, and for each the record that it comes from if that is remembered.
struct TargetRows: ~Copyable {
    var rows: CopyBuffer
    /// Rows in forms that only the database reads.
    var server: ServerRows
    /// For the rows, and then for those that the database reads; empty if not remembered.
    var origins: [RecordOrigin] = []
    var serverOrigins: [RecordOrigin] = []
    /// Which record each row comes from, if the rows are staged and that is remembered; by their sequence from 1 on.
    var stagedOrigins: [RecordOrigin] = []
    /// How the rows are staged; nil if they go directly into their table.
    private(set) var staging: Staging?
    /// How many rows were staged, and how many of them are deletions.
    var staged = 0
    var deletions = 0
    private var position: Position
    private let target: IngestPlan.Target
    /// The mark before the first row.
    let beginning: CopyBuffer.Mark

    init(_ target: IngestPlan.Target, capacity: Int) {
        self.target = target
        rows = CopyBuffer(minimumCapacity: capacity)
        beginning = rows.mark()
        position = Position(beginning)
        server = ServerRows(table: target.table, columns: target.columns)
        setStaging(target.isStaged)
    }

    /// Decides whether the rows are staged.
    private mutating func setStaging(_ isStaged: Bool) {
        guard let wanted = target.staging, isStaged != (staging != nil) else { return }
        staging = isStaged ? wanted : nil
        server = ServerRows(
            table: isStaged ? wanted.table : target.table, columns: isStaged ? wanted.columns : target.columns)
    }

    /// Stages the rows that follow if records are to be left out as a whole.
    ///
    /// - Precondition: There are no rows.
    mutating func prepareIsolation() { setStaging(target.staging != nil) }

    /// What is there at a moment.
    struct Position {
        var rows: CopyBuffer.Mark
        var server = 0
        var staged = 0
        var deletions = 0
        var origins = 0
        var serverOrigins = 0
        var stagedOrigins = 0

        init(_ rows: CopyBuffer.Mark) { self.rows = rows }
    }

    /// How many rows there are, of both kinds.
    var count: Int { rows.rowCount + server.count }
    var byteCount: Int { rows.byteCount + (server.isEmpty ? 0 : server.byteCount) }

    /// Remembers the present state for ``rollback()``.
    mutating func setMark() {
        position = present
    }

    mutating func rollback() { rollback(to: position) }

    var present: Position {
        var position = Position(rows.mark())
        position.server = server.count
        (position.staged, position.deletions) = (staged, deletions)
        (position.origins, position.serverOrigins) = (origins.count, serverOrigins.count)
        position.stagedOrigins = stagedOrigins.count
        return position
    }

    mutating func rollback(to position: Position) {
        rows.rollback(to: position.rows)
        server.removeLast(server.count - position.server)
        (staged, deletions) = (position.staged, position.deletions)
        origins.removeLast(origins.count - position.origins)
        serverOrigins.removeLast(serverOrigins.count - position.serverOrigins)
        stagedOrigins.removeLast(stagedOrigins.count - position.stagedOrigins)
    }

    mutating func removeAll() {
        rows.removeAll()
        if !server.isEmpty { server.removeAll() }
        if !origins.isEmpty { origins.removeAll() }
        if !serverOrigins.isEmpty { serverOrigins.removeAll() }
        if !stagedOrigins.isEmpty { stagedOrigins.removeAll() }
        (staged, deletions) = (0, 0)
        setStaging(target.isStaged)
    }
}

/// Which record a row was made of.
struct RecordOrigin: Sendable, Hashable {
    /// The place of its record batch in a list.
    var batch: Int
    var offset: Int64
}
