import PGWire

/// Checks a mapping with records, and writes nothing.
///
/// Some errors show only in a write: those of constraints, unique indexes, triggers and partitions. Values that the
/// encoder leaves to the server are parsed there in a read-only transaction.
///
/// Not made for speed: it copies and allocates for each record. Not thread-safe.
public final class MappingCheck {
    private struct ServerRecord {
        let record: CheckedRecord
        /// The record's rows that the server has to parse.
        let serverRows: [[UInt8]]
        /// The number of all rows of the record.
        let rowCount: Int
    }

    /// A route with its encoder. It is a class because an encoder can't be copied.
    private final class Target {
        let bound: BoundRoute
        var encoder: RowEncoder
        var special: SpecialRoute
        var entry: CheckReport.Entry
        /// Records with rows that the server has to parse.
        var serverRecords: [ServerRecord] = []

        init(_ bound: BoundRoute) throws(RowPlanError) {
            self.bound = bound
            encoder = try RowEncoder(bound.plan)
            special = try SpecialRoute(bound)
            entry = CheckReport.Entry(route: bound.route, leftToDefault: bound.leftToDefault)
        }
    }

    private var targets: [Target] = []
    private let matchers: [RouteMatcher]
    private var unrouted = 0
    private var firstUnrouted: CheckReport.Example?
    /// A scratch buffer: rows are encoded into it and discarded.
    private var rows = CopyBuffer()

    /// - Throws: `RowPlanError` if a plan can't be used.
    public init(_ routes: [BoundRoute]) throws(RowPlanError) {
        matchers = routes.map { RouteMatcher($0.route) }
        for route in routes { targets.append(try Target(route)) }
    }

    /// Checks one record.
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
        target.encoder.setTopic(record.topic)
        target.special.setTopic(record.topic)
        guard let value = record.value else { return checkTombstone(record, target) }
        guard target.special.opener != nil else { return encode([value], record, target) }
        // Safe: the array outlives the call, which retains no pointer to it.
        if let problem = unsafe target.special.opener?.open(value.span.bytes) {
            return reject(record, problem, target)
        }
        let message = target.special.opener?.message ?? []
        encode((target.special.opener?.parts ?? []).map { Array(message[$0]) }, record, target)
    }

    /// Has the server parse the rows that only it can parse.
    ///
    /// - Parameters:
    ///   - limit: The most records per route to check; the others count as rows.
    ///   - session: A transaction of its own. It is made read-only.
    /// - Throws: `PostgresError` if the connection is lost or a statement fails for a reason other than a record.
    public func checkServerRows(
        limit: Int = 1000, _ session: inout PostgresSession
    ) throws(PostgresError) {
        guard targets.contains(where: { !$0.serverRecords.isEmpty }) else { return }
        try session.execute("SET TRANSACTION READ ONLY; \(ServerRows.settings)")
        for target in targets {
            for entry in target.serverRecords.prefix(limit) {
                var rows = ServerRows(table: target.bound.table.name, columns: target.bound.plan.columns.map(\.name))
                for row in entry.serverRows { rows.append(row) }
                try session.execute("SAVEPOINT row")
                do throws(PostgresError) {
                    try session.query(try rows.selection(in: &session), parameters: [rows.parameter])
                    try session.execute("RELEASE row")
                } catch {
                    guard error.kind == .server else { throw error }
                    try session.execute("ROLLBACK TO row")
                    target.entry.rows -= entry.rowCount
                    target.entry.serverRows -= entry.serverRows.count
                    reject(entry.record, "the database: \(error.message)", target)
                }
            }
            target.serverRecords = []
        }
    }

    public var report: CheckReport {
        CheckReport(routes: targets.map(\.entry), unrouted: unrouted, firstUnrouted: firstUnrouted)
    }

    // MARK: One record

    private func checkTombstone(_ record: CheckedRecord, _ target: Target) {
        guard case .upsert(_, let tombstone) = target.bound.mode else {
            guard target.special.opener == nil else { return reject(record, "the record has no value", target) }
            // Columns that read only metadata need no value.
            return encode([nil], record, target)
        }
        switch tombstone {
        case .delete: checkDeletion(record, target)
        case .ignore: target.entry.ignoredTombstones += 1
        case .deadLetter: reject(record, SpecialRoute.noTombstones, target)
        }
    }

    private func checkDeletion(_ record: CheckedRecord, _ target: Target) {
        for (index, name) in (target.special.tombstones?.headerNames ?? []).enumerated() {
            if let value = record.header(name) {
                unsafe target.special.tombstones?.setHeader(index, value.span.bytes)
            } else {
                target.special.tombstones?.setHeader(index, nil)
            }
        }
        let key = record.key ?? []
        // Safe: the array outlives the call, which retains no pointer to it.
        let outcome = unsafe target.special.tombstones?.encode(
            key: record.key == nil ? nil : key.span.bytes, metadata: record.metadata, into: &rows)
        rows.removeAll()
        if case .rejected(let reason) = outcome { return reject(record, reason, target) }
        target.entry.deletions += 1
    }

    /// Encodes all messages of one record. If one of them is rejected, so is the record.
    private func encode(_ messages: [[UInt8]?], _ record: CheckedRecord, _ target: Target) {
        for (index, name) in target.encoder.headerNames.enumerated() {
            if let value = record.header(name) {
                unsafe target.encoder.setHeader(index, value.span.bytes)
            } else {
                target.encoder.setHeader(index, nil)
            }
        }
        for outer in target.special.opener?.outer ?? [] {
            if let value = outer.value {
                unsafe target.encoder.setHeader(outer.header, value.span.bytes)
            } else {
                target.encoder.setHeader(outer.header, nil)
            }
        }
        var serverRows: [[UInt8]] = []
        for (number, message) in messages.enumerated() {
            switch outcome(of: message, record, target) {
            case .row: break
            case .server(let row): serverRows.append(row)
            case .rejected(let reason):
                let place = target.special.each.map { " (element \(number) of \($0))" }
                return reject(record, reason + (place ?? ""), target)
            }
        }
        target.entry.rows += messages.count
        target.entry.serverRows += serverRows.count
        guard !serverRows.isEmpty else { return }
        target.serverRecords.append(ServerRecord(record: record, serverRows: serverRows, rowCount: messages.count))
    }

    private func outcome(of message: [UInt8]?, _ record: CheckedRecord, _ target: Target) -> EncodedRow {
        // The span needs an array; whether the value is null is decided below.
        let (value, key) = (message ?? [], record.key ?? [])
        // Safe: the arrays outlive the call, which retains no pointer to them.
        let outcome = unsafe target.encoder.encode(
            value: message == nil ? nil : value.span.bytes, key: record.key == nil ? nil : key.span.bytes,
            metadata: record.metadata, into: &rows)
        rows.removeAll()
        return outcome
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

    /// The reason without the quoted value, so that equal mistakes are counted together.
    static func kind(of reason: String) -> String {
        let ends = [", found ", " (byte ", " (element ", ": \"", "JSON object: "].compactMap { reason.range(of: $0) }
        guard let end = ends.min(by: { $0.lowerBound < $1.lowerBound }) else { return reason }
        let isObject = reason[end] == "JSON object: "
        return String(reason[..<end.lowerBound]) + (isObject ? "JSON object" : "")
    }
}
