import PGWire

/// The rows of one target, and their origins if those are recorded.
struct TargetRows: ~Copyable {
    var rows: CopyBuffer
    /// Rows in forms that only the server can parse.
    var server: ServerRows
    /// The origins of `rows`, then of `server`; empty if not recorded.
    var origins: [RecordOrigin] = []
    var serverOrigins: [RecordOrigin] = []
    /// The origins of staged rows, by sequence number minus 1; empty if not recorded.
    var stagedOrigins: [RecordOrigin] = []
    /// How the rows are staged; nil if they go directly into their table.
    private(set) var staging: Staging?
    /// The number of staged rows, and how many of them are deletions.
    var staged = 0
    var deletions = 0
    private var position: Position
    private let target: IngestPlan.Target
    /// The mark at the start of the rows.
    let beginning: CopyBuffer.Mark

    init(_ target: IngestPlan.Target, capacity: Int) {
        self.target = target
        rows = CopyBuffer(minimumCapacity: capacity)
        beginning = rows.mark()
        position = Position(beginning)
        server = ServerRows(table: target.table, columns: target.columns)
        setStaging(target.isStaged)
    }

    /// Turns staging on or off.
    private mutating func setStaging(_ isStaged: Bool) {
        guard let wanted = target.staging, isStaged != (staging != nil) else { return }
        staging = isStaged ? wanted : nil
        server = ServerRows(
            table: isStaged ? wanted.table : target.table, columns: isStaged ? wanted.columns : target.columns)
    }

    /// Turns staging on if the target's records must be dropped as a whole.
    ///
    /// - Precondition: There are no rows.
    mutating func prepareIsolation() { setStaging(target.staging != nil) }

    /// The counts at one moment, to which the rows can be rolled back.
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

    /// The number of rows of both kinds.
    var count: Int { rows.rowCount + server.count }
    var byteCount: Int { rows.byteCount + (server.isEmpty ? 0 : server.byteCount) }

    /// Stores the current position for ``rollback()``.
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

/// The record that a row was made from.
struct RecordOrigin: Sendable, Hashable {
    /// The record batch's index in the caller's list; -1 if not recorded.
    var batch: Int
    var offset: Int64
}
