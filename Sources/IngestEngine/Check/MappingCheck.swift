import PGWire

/// Tries a mapping on records, and writes nothing.
///
/// What only a write can show stays unseen: constraints, unique indexes, triggers, partitions. Values that the encoder
/// leaves to the server are read by it in a transaction that is read-only.
///
/// Not made for speed: it copies and allocates for each record. Not thread-safe.
public final class MappingCheck {
    /// A route with its encoder. A class, since an encoder can't be copied.
    private final class Target {
        let bound: BoundRoute
        var encoder: RowEncoder
        var entry: CheckReport.Entry
        /// Rows that the server has to read, with the records that they come from.
        var serverRows: [(row: [UInt8], record: CheckedRecord)] = []

        init(_ bound: BoundRoute) throws(RowPlanError) {
            self.bound = bound
            encoder = try RowEncoder(bound.plan)
            entry = CheckReport.Entry(route: bound.route, leftToDefault: bound.leftToDefault)
        }
    }

    private var targets: [Target] = []
    private let matchers: [RouteMatcher]
    private var unrouted = 0
    private var firstUnrouted: CheckReport.Example?
    /// Rows are encoded into it and dropped.
    private var rows = CopyBuffer()

    /// - Throws: `RowPlanError` if a plan can't be used.
    public init(_ routes: [BoundRoute]) throws(RowPlanError) {
        matchers = routes.map { RouteMatcher($0.route) }
        for route in routes { targets.append(try Target(route)) }
    }

    /// Tries the mapping on one record.
    public func check(_ record: CheckedRecord) {
        guard let index = matchers.firstIndex(where: { $0.selects(record) }) else {
            unrouted += 1
            firstUnrouted =
                firstUnrouted
                ?? .init(
                    topic: record.topic, partition: record.partition, offset: record.offset,
                    reason: "no route selects the record")
            return
        }
        let target = targets[index]
        target.entry.records += 1
        guard let value = record.value else { return checkTombstone(record, target) }
        guard target.bound.route.decompression == nil else {
            target.entry.unchecked += 1
            return
        }
        switch MessageParts.of(value, target.bound.route) {
        case .failure(let problem): reject(record, problem.reason, target)
        case .success(let parts): for part in parts.messages { encode(part, record, target) }
        }
    }

    /// Lets the server read the rows that only it can read.
    ///
    /// - Parameters:
    ///   - limit: At most so many rows of each route; the others count as rows.
    ///   - session: A transaction of its own. It is made read-only.
    /// - Throws: `PostgresError` if the database can't be asked.
    public func checkServerRows(
        limit: Int = 1000, _ session: inout PostgresSession
    ) throws(PostgresError) {
        guard targets.contains(where: { !$0.serverRows.isEmpty }) else { return }
        try session.execute("SET TRANSACTION READ ONLY; \(ServerRows.settings)")
        for target in targets {
            for (row, record) in target.serverRows.prefix(limit) {
                var rows = ServerRows(table: target.bound.table.name, columns: target.bound.plan.columns.map(\.name))
                rows.append(row)
                try session.execute("SAVEPOINT row")
                do throws(PostgresError) {
                    try session.query(try rows.selection(in: &session), parameters: [rows.parameter])
                    try session.execute("RELEASE row")
                } catch {
                    guard error.kind == .server else { throw error }
                    try session.execute("ROLLBACK TO row")
                    target.entry.rows -= 1
                    target.entry.serverRows -= 1
                    reject(record, "the database: \(error.message)", target)
                }
            }
            target.serverRows = []
        }
    }

    public var report: CheckReport {
        CheckReport(routes: targets.map(\.entry), unrouted: unrouted, firstUnrouted: firstUnrouted)
    }

    // MARK: One record

    private func checkTombstone(_ record: CheckedRecord, _ target: Target) {
        guard case .upsert(_, let tombstone) = target.bound.mode else {
            // Columns of metadata alone need no value.
            return encode(nil, record, target)
        }
        switch tombstone {
        case .delete: target.entry.deletions += 1
        case .ignore: target.entry.ignoredTombstones += 1
        case .deadLetter: reject(record, "the record has no value, and the route takes no tombstones", target)
        }
    }

    private func encode(_ message: [UInt8]?, _ record: CheckedRecord, _ target: Target) {
        target.encoder.setTopic(record.topic)
        for (index, name) in target.encoder.headerNames.enumerated() {
            if let value = record.header(name) {
                unsafe target.encoder.setHeader(index, value.span.bytes)
            } else {
                target.encoder.setHeader(index, nil)
            }
        }
        let metadata = RecordMetadata(
            partition: record.partition, offset: record.offset, timestamp: record.timestamp)
        // An empty array instead of none: whether there is one is decided below.
        let (value, key) = (message ?? [], record.key ?? [])
        // Safe: the arrays outlive the call, which keeps nothing of them.
        let outcome = unsafe target.encoder.encode(
            value: message == nil ? nil : value.span.bytes, key: record.key == nil ? nil : key.span.bytes,
            metadata: metadata, into: &rows)
        rows.removeAll()
        switch outcome {
        case .row: target.entry.rows += 1
        case .server(let row):
            target.entry.rows += 1
            target.entry.serverRows += 1
            target.serverRows.append((row, record))
        case .rejected(let reason): reject(record, reason, target)
        }
    }

    private func reject(_ record: CheckedRecord, _ reason: String, _ target: Target) {
        let kind = Self.kind(of: reason)
        if let index = target.entry.rejections.firstIndex(where: { $0.reason == kind }) {
            target.entry.rejections[index].count += 1
            return
        }
        target.entry.rejections.append(
            .init(
                reason: kind, count: 1,
                example: .init(
                    topic: record.topic, partition: record.partition, offset: record.offset, reason: reason)))
    }

    /// A reason without the value that it quotes, so that equal mistakes count as one.
    static func kind(of reason: String) -> String {
        let ends = [", found ", " (byte ", ": \"", "JSON object: "].compactMap { reason.range(of: $0) }
        guard let end = ends.min(by: { $0.lowerBound < $1.lowerBound }) else { return reason }
        let isObject = reason[end] == "JSON object: "
        return String(reason[..<end.lowerBound]) + (isObject ? "JSON object" : "")
    }
}
