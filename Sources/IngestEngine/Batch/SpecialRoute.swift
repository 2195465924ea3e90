import KafkaWire
import PGWire

/// Extra state of a route that isn't a plain append: its values must be opened, its rows staged, or its tombstones
/// handled.
struct SpecialRoute: ~Copyable {
    let isUpsert: Bool
    let tombstone: BoundRoute.Tombstone
    /// nil if the record's value is the message.
    var opener: MessageOpener?
    /// The path of the array whose elements are messages, for the reasons of dead letters.
    let each: JSONPath?
    /// nil if tombstones don't delete rows.
    var tombstones: TombstoneEncoder?

    /// - Throws: `RowPlanError` if the plan was not bound.
    init(_ bound: BoundRoute) throws(RowPlanError) {
        tombstones = try Self.tombstones(of: bound)
        each = bound.route.each
        opener = MessageOpener.isNeeded(for: bound.route) ? MessageOpener(bound) : nil
        if case .upsert(_, let tombstone) = bound.mode {
            isUpsert = true
            self.tombstone = tombstone
        } else {
            isUpsert = false
            tombstone = .deadLetter
        }
    }

    private static func tombstones(of bound: BoundRoute) throws(RowPlanError) -> TombstoneEncoder? {
        guard case .upsert(_, .delete(let key)) = bound.mode else { return nil }
        return try TombstoneEncoder(key, columns: bound.plan.columns.map(\.name))
    }

    static func isPlain(_ bound: BoundRoute) -> Bool {
        bound.mode == .append && !MessageOpener.isNeeded(for: bound.route)
    }

    mutating func setTopic(_ topic: String) { tombstones?.setTopic(topic) }
}

extension BatchContent {
    /// Adds a record of a route that isn't plain: all of its rows, or a dead letter.
    @inline(never)
    mutating func appendSpecial(
        _ record: borrowing Record, of batch: borrowing RecordBatch, _ route: Int, target: Int, originIndex index: Int
    ) {
        let metadata = RecordMetadata(
            partition: batch.partition, offset: record.offset,
            timestamp: record.timestamp.isKnown ? record.timestamp.millisecondsSince1970 : nil)
        let before = targets[target].present
        let problem: String?
        if record.value == nil, specials[route].isUpsert {
            problem = appendTombstone(record, metadata, route, target, originIndex: index)
        } else if specials[route].opener == nil {
            // Columns that read only metadata need no value.
            let outcome = encoders[route].encode(
                value: record.value, key: record.key, metadata: metadata, into: &targets[target].rows)
            problem = take(outcome, target, since: before, offset: record.offset, originIndex: index)
        } else if let value = record.value {
            problem = appendOpened(value, key: record.key, metadata, route, target, originIndex: index)
        } else {
            problem = "the record has no value"
        }
        guard let problem else { return }
        targets[target].rollback(to: before)
        addDeadLetter(record, of: batch, reason: problem, originIndex: index)
    }

    /// Appends a row for each message in a record's value.
    ///
    /// - Returns: nil, or the reason for a dead letter. Rows may have been appended in that case.
    private mutating func appendOpened(
        _ value: RawSpan, key: RawSpan?, _ metadata: RecordMetadata, _ route: Int, _ target: Int, originIndex index: Int
    ) -> String? {
        if let problem = specials[route].opener?.open(value) { return problem }
        let message = specials[route].opener?.message ?? []
        let parts = specials[route].opener?.parts ?? []
        for outer in specials[route].opener?.outer ?? [] {
            if let bytes = outer.value {
                unsafe encoders[route].setHeader(outer.header, bytes.span.bytes)
            } else {
                encoders[route].setHeader(outer.header, nil)
            }
        }
        for (number, part) in parts.enumerated() {
            let before = targets[target].present
            let outcome = unsafe encoders[route].encode(
                value: message.span.bytes.extracting(part), key: key, metadata: metadata, into: &targets[target].rows)
            guard let problem = take(outcome, target, since: before, offset: metadata.offset, originIndex: index) else {
                continue
            }
            guard let each = specials[route].each else { return problem }
            return "\(problem) (element \(number) of \(each))"
        }
        return nil
    }

    private mutating func appendTombstone(
        _ record: borrowing Record, _ metadata: RecordMetadata, _ route: Int, _ target: Int, originIndex index: Int
    ) -> String? {
        switch specials[route].tombstone {
        case .ignore: return nil
        case .deadLetter: return SpecialRoute.noTombstones
        case .delete: break
        }
        let names = specials[route].tombstones?.headerNames ?? []
        for (index, name) in names.enumerated() {
            var value: [UInt8]?
            var iterator = record.headers.makeIterator()
            while let header = iterator.next() {
                guard header.name.spells(name) else { continue }
                value = if let bytes = header.value { [UInt8](bytes) } else { nil }
            }
            if let value {
                unsafe specials[route].tombstones?.setHeader(index, value.span.bytes)
            } else {
                specials[route].tombstones?.setHeader(index, nil)
            }
        }
        let before = targets[target].present
        guard
            let outcome = specials[route].tombstones?.encode(
                key: record.key, metadata: metadata, into: &targets[target].rows)
        else { return SpecialRoute.noTombstones }
        return take(outcome, target, since: before, offset: record.offset, isDeletion: true, originIndex: index)
    }

    /// Adds the encoder's outcome to the target.
    ///
    /// - Parameter before: The target's position before the message was encoded.
    /// - Returns: nil, or the reason why the message was rejected.
    private mutating func take(
        _ outcome: EncodedRow, _ target: Int, since before: TargetRows.Position, offset: Int64,
        isDeletion: Bool = false, originIndex index: Int
    ) -> String? {
        let origin = RecordOrigin(batch: index, offset: offset)
        switch outcome {
        case .rejected(let reason): return reason
        case .row:
            targets[target].finishRow(since: before, isDeletion: isDeletion)
            if index >= 0 { targets[target].origins.append(origin) }
        case .server(let row):
            targets[target].append(serverRow: row, isDeletion: isDeletion)
            if index >= 0 { targets[target].serverOrigins.append(origin) }
        }
        if index >= 0, targets[target].staging != nil { targets[target].stagedOrigins.append(origin) }
        return nil
    }
}

extension SpecialRoute {
    static let noTombstones = "the record has no value, and the route takes no tombstones"
}

extension TargetRows {
    /// Appends the sequence number and the deletion flag to the last row if rows are staged.
    mutating func finishRow(since before: Position, isDeletion: Bool) {
        guard staging != nil else { return }
        staged += 1
        if isDeletion { deletions += 1 }
        rows.reopenRow(at: before.rows, adding: 2)
        rows.append(int4: Int32(truncatingIfNeeded: staged))
        rows.append(bool: isDeletion)
    }

    /// Appends a row that the server parses itself.
    ///
    /// - Parameter row: A JSON object.
    mutating func append(serverRow row: [UInt8], isDeletion: Bool) {
        guard let staging else { return server.append(row) }
        staged += 1
        if isDeletion { deletions += 1 }
        var row = row
        row.removeLast()
        if row.count > 1 { row.append(UInt8(ascii: ",")) }
        row += "\"\(staging.sequence)\":\(staged),\"\(staging.deletion)\":\(isDeletion)}".utf8
        server.append(row)
    }
}
