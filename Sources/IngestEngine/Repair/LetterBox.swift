import CommandLineSupport
import KafkaWire
import PGWire

/// The dead letters in the database: lists, retries and discards them.
public struct LetterBox: Sendable {
    /// Selects dead letters. Properties that aren't set don't restrict the selection.
    public struct Selection: Sendable {
        public var ids: [Int64] = []
        /// A substring of the reason.
        public var reason: String?
        public var topic: String?
        public var partition: Int32?
        public var offset: Int64?
        /// The earliest time of receipt, as text that the server parses. `until` is exclusive.
        public var since: String?
        public var until: String?
        /// The consumer group. Letters from before groups were recorded match every group.
        public var group: String?
        /// Whether to include letters that were retried or discarded.
        public var includesResolved = false

        public init() {}
    }

    /// The outcome of retrying a letter.
    public enum Outcome: Sendable, Equatable {
        /// The letter became this many rows.
        case stored(rows: Int)
        /// The letter still can't become a row.
        case rejected(reason: String)
        /// The letter was retried or discarded concurrently.
        case resolvedBefore
        /// The mapping doesn't read the letter's topic.
        case ofOtherTopic
    }

    /// The dead letter table, quoted.
    private let table: String
    private let deadLetters: TableName
    /// The user to record for retries and discards.
    private let user: String

    public init(_ tables: OwnTables, user: String) {
        table = tables.quoted(OwnTables.deadLetter)
        deadLetters = TableName(schema: tables.schema, table: DeadLetter.table)
        self.user = user
    }

    // MARK: Listing

    /// The number of selected letters.
    public func count(_ selection: Selection, _ connection: PostgresConnection) async throws -> Int {
        try await connection.transaction { session in try count(selection, &session) }
    }

    public func count(_ selection: Selection, _ session: inout PostgresSession) throws(PostgresError) -> Int {
        let (condition, parameters) = Self.condition(selection)
        let count: Int64 = try session.query(
            "SELECT count(*) FROM \(table) WHERE \(condition)", parameters: parameters
        ).onlyRow.decode(0)
        return Int(count)
    }

    /// The first selected letters, by id.
    public func letters(
        _ selection: Selection, limit: Int, _ connection: PostgresConnection
    ) async throws(PostgresError) -> [StoredLetter] {
        var letters: [StoredLetter] = []
        for row in try await rows(StoredLetter.columns, selection, behind: .min, limit, connection) {
            letters.append(try StoredLetter(row))
        }
        return letters
    }

    /// The ids of the first selected letters after an id.
    public func ids(
        _ selection: Selection, behind id: Int64, limit: Int, _ connection: PostgresConnection
    ) async throws(PostgresError) -> [Int64] {
        var ids: [Int64] = []
        for row in try await rows("id", selection, behind: id, limit, connection) { ids.append(try row.decode(0)) }
        return ids
    }

    private func rows(
        _ columns: String, _ selection: Selection, behind id: Int64, _ limit: Int, _ connection: PostgresConnection
    ) async throws(PostgresError) -> [PostgresRow] {
        let (condition, parameters) = Self.condition(selection)
        let next = parameters.count + 1
        return try await connection.query(
            """
            SELECT \(columns) FROM \(table)
            WHERE \(condition) AND id > $\(next) ORDER BY id LIMIT $\(next + 1)
            """, parameters: parameters + [PostgresValue(id), PostgresValue(Int64(limit))]
        ).rows
    }

    private static func condition(_ selection: Selection) -> (String, [PostgresValue]) {
        var conditions = selection.includesResolved ? [] : ["resolved_at IS NULL"]
        var parameters: [PostgresValue] = []
        func add(_ condition: (String) -> String, _ value: PostgresValue?) {
            guard let value else { return }
            parameters.append(value)
            conditions.append(condition("$\(parameters.count)"))
        }
        if !selection.ids.isEmpty {
            let list = selection.ids.map(String.init).joined(separator: ",")
            add({ "id = ANY (\($0)::bigint[])" }, .text("{\(list)}"))
        }
        add({ "strpos(reason, \($0)) > 0" }, selection.reason.map { .text($0) })
        add({ "topic = \($0)" }, selection.topic.map { .text($0) })
        add({ "\"partition\" = \($0)" }, selection.partition.map { PostgresValue($0) })
        add({ "\"offset\" = \($0)" }, selection.offset.map { PostgresValue($0) })
        add({ "received_at >= \($0)::timestamptz" }, selection.since.map { .text($0) })
        add({ "received_at < \($0)::timestamptz" }, selection.until.map { .text($0) })
        add({ "coalesce(group_name = \($0), true)" }, selection.group.map { .text($0) })
        return (conditions.isEmpty ? "true" : conditions.joined(separator: " AND "), parameters)
    }

    // MARK: Retrying and discarding

    /// Discards letters, so that they aren't retried.
    ///
    /// - Returns: The number of discarded letters.
    public func discard(
        _ selection: Selection, _ connection: PostgresConnection
    ) async throws(PostgresError) -> Int {
        var open = selection
        open.includesResolved = false
        let (condition, parameters) = Self.condition(open)
        let result = try await connection.query(
            """
            UPDATE \(table) SET resolved_at = now(), resolution = 'discarded', resolved_by = $\(parameters.count + 1)
            WHERE \(condition)
            """, parameters: parameters + [.text(user)])
        return result.affectedRows ?? 0
    }

    /// The reason without parts that vary between letters: numbers, and quoted text from the message.
    public static func kind(of reason: String) -> String { RejectionSummary.kind(of: reason) }

    /// The tables have changed since the plan was bound.
    public struct TablesChanged: Error {}

    /// Applies the mapping to a letter. Its rows and its new status are written in one transaction. If it is rejected
    /// again, its new reason is stored.
    ///
    /// - Parameter isTrial: Whether to roll everything back.
    /// - Throws: `TablesChanged`; `PostgresError` not caused by a row; `RowPlanError`.
    public func retry(
        _ letter: Int64, _ plan: IngestPlan, isTrial: Bool, _ connection: PostgresConnection
    ) async throws -> Outcome {
        do {
            return try await connection.transaction { session in
                let outcome = try store(letter, plan, &session)
                if isTrial { throw Trial(outcome: outcome) }
                return outcome
            }
        } catch let trial as Trial {
            return trial.outcome
        } catch let error as PostgresError where error.mayBeCausedByRow {
            let reason = RowIsolation.reason(error)
            if isTrial { return .rejected(reason: reason) }
            return try await connection.transaction { session in try reject(letter, reason, &session) }
        }
    }

    private struct Trial: Error { let outcome: Outcome }

    private func store(
        _ id: Int64, _ plan: IngestPlan, _ session: inout PostgresSession
    ) throws -> Outcome {
        if let fingerprint = plan.fingerprint, try !fingerprint.holds(&session) { throw TablesChanged() }
        // Locks the letter: of two concurrent retries the second finds it resolved.
        let rows = try session.query(
            "SELECT \(StoredLetter.columns) FROM \(table) WHERE id = $1 AND resolved_at IS NULL FOR UPDATE",
            parameters: [PostgresValue(id)]
        ).rows
        guard let row = rows.first else { return .resolvedBefore }
        let letter = try StoredLetter(row)
        guard plan.routes.contains(where: { $0.route.reads(topic: letter.topic) }) else { return .ofOtherTopic }
        // A letter without a route stays open.
        let batch = try CopyBatch(plan.rejectingUnrouted)
        do {
            try batch.append(try letter.recordBatch(), position: letter.offset, now: .now)
        } catch let failure as Failure {
            return try reject(id, failure.sentence, &session)
        } catch let error as KafkaError {
            return try reject(id, "\(error)", &session)
        }
        if batch.deadLetterCount > 0 { return try reject(id, batch.rejections.last, &session) }
        // A deferred constraint would fail in COMMIT, where the cause can't be attributed to the row.
        try session.execute("SET CONSTRAINTS ALL IMMEDIATE")
        try batch.copy(deadLetters: deadLetters, &session)
        try session.query(
            """
            UPDATE \(table) SET resolved_at = now(), resolution = 'retried', resolved_by = $2, retries = retries + 1
            WHERE id = $1
            """, parameters: [PostgresValue(id), .text(user)])
        return .stored(rows: batch.copiedRows.reduce(0, +))
    }

    private func reject(
        _ id: Int64, _ reason: String, _ session: inout PostgresSession
    ) throws(PostgresError) -> Outcome {
        let result = try session.query(
            "UPDATE \(table) SET reason = $2, retries = retries + 1 WHERE id = $1 AND resolved_at IS NULL",
            parameters: [PostgresValue(id), .text(DeadLetter.storable(reason))])
        return result.affectedRows == 0 ? .resolvedBefore : .rejected(reason: reason)
    }
}
