import KafkaWire
import PGWire

/// What a route needs whose records don't simply become one row of a COPY each: values to open, rows to stage, records
/// without a value that mean something.
struct SpecialRoute: ~Copyable {
    let isUpsert: Bool
    let tombstone: BoundRoute.Tombstone
    /// Nil if the record's value is the message.
    var opener: MessageOpener?
    /// Whether a message is one of several, for the reasons of dead letters.
    let each: JSONPath?
    /// Nil if tombstones don't delete.
    var tombstones: TombstoneEncoder?

    /// - Throws: `RowPlanError` for a plan that was not bound.
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
    /// Takes a record of a route that is not plain. All rows of the record are appended, or it becomes a dead letter.
    @inline(never)
    mutating func appendSpecial(
        _ record: borrowing Record, of batch: borrowing RecordBatch, _ route: Int, target: Int, notedAs index: Int
    ) {
        let metadata = RecordMetadata(
            partition: batch.partition, offset: record.offset,
            timestamp: record.timestamp.isKnown ? record.timestamp.millisecondsSince1970 : nil)
        let before = targets[target].present
        let problem: String?
        if record.value == nil, specials[route].isUpsert {
            problem = appendTombstone(record, metadata, route, target, notedAs: index)
        } else if specials[route].opener == nil {
            // Columns of metadata alone need no value.
            let outcome = encoders[route].encode(
                value: record.value, key: record.key, metadata: metadata, into: &targets[target].rows)
            problem = take(outcome, target, since: before, offset: record.offset, notedAs: index)
        } else if let value = record.value {
            problem = appendOpened(value, key: record.key, metadata, route, target, notedAs: index)
        } else {
            problem = "the record has no value"
        }
        guard let problem else { return }
        targets[target].rollback(to: before)
        addDeadLetter(record, of: batch, reason: problem, notedAs: index)
    }

    /// Appends a row for each message in a record's value.
    ///
    /// - Returns: Why there is none; rows may have been appended then.
    private mutating func appendOpened(
        _ value: RawSpan, key: RawSpan?, _ metadata: RecordMetadata, _ route: Int, _ target: Int, notedAs index: Int
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
            guard let problem = take(outcome, target, since: before, offset: metadata.offset, notedAs: index) else {
                continue
            }
            guard let each = specials[route].each else { return problem }
            return "\(problem) (element \(number) of \(each))"
        }
        return nil
    }

    private mutating func appendTombstone(
        _ record: borrowing Record, _ metadata: RecordMetadata, _ route: Int, _ target: Int, notedAs index: Int
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
        return take(outcome, target, since: before, offset: record.offset, isDeletion: true, notedAs: index)
    }

    /// Keeps what an encoder has made of a message.
    ///
    /// - Parameter before: What was there before the message was encoded.
    /// - Returns: Why it isn't a row.
    private mutating func take(
        _ outcome: EncodedRow, _ target: Int, since before: TargetRows.Position, offset: Int64,
        isDeletion: Bool = false, notedAs index: Int
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
    /// Gives the row that was appended last its sequence and flag if rows are staged.
    mutating func finishRow(since before: Position, isDeletion: Bool) {
        guard staging != nil else { return }
        staged += 1
        if isDeletion { deletions += 1 }
        rows.reopenRow(at: before.rows, adding: 2)
        rows.append(int4: Int32(truncatingIfNeeded: staged))
        rows.append(bool: isDeletion)
    }

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
