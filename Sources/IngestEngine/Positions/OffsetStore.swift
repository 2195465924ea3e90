import CommandLineSupport
import Concurrency
import KafkaWire
import PGWire

/// The offsets of a group, stored in the database beside the rows.
public struct OffsetStore: Sendable {
    /// The next offset of a group in one partition.
    public struct Entry: Sendable, Equatable {
        public var partition: TopicPartition
        public var nextOffset: Int64
        /// The topic's id when the offset was written; nil if the broker doesn't report it (before Kafka 2.8).
        public var topicID: String?
        /// The leader epoch of the last record; nil if unknown.
        var leaderEpoch: Int32?
    }

    /// The unquoted name of the offsets table, without its schema.
    public static let tableName = "kafka_offset"

    /// The offsets table with its schema, quoted.
    let table: String
    public let group: String
    /// The group as an SQL string literal.
    private let groupConstant: String
    private let topicConstants = Constants()

    /// - Parameters:
    ///   - table: The offsets table with its schema, quoted.
    ///   - connection: Any connection to the database, used to quote the group.
    /// - Throws: `PostgresError`.
    public init(table: String, group: String, over connection: PostgresConnection) async throws {
        self.table = table
        self.group = group
        groupConstant = try await connection.literal(group)
    }

    /// The group's offsets in some topics.
    public func entries(
        of topics: some Sequence<String>, _ session: inout PostgresSession
    ) throws(PostgresError) -> [Entry] {
        try entries(
            try session.query(
                """
                SELECT topic, partition, next_offset, topic_id, leader_epoch FROM \(table)
                WHERE group_name = $1 AND topic = ANY ($2::text[]) ORDER BY topic, partition
                """, parameters: [.text(group), Self.list(topics)]))
    }

    private func entries(_ result: PostgresResult) throws(PostgresError) -> [Entry] {
        var entries: [Entry] = []
        for row in result.rows {
            entries.append(
                Entry(
                    partition: TopicPartition(topic: try row.decode(0), partition: try row.decode(1)),
                    nextOffset: try row.decode(2), topicID: try row.decodeIfPresent(3),
                    leaderEpoch: try row.decodeIfPresent(4)))
        }
        return entries
    }

    /// The group's offsets of some partitions, locked until the transaction ends. Waits for other transactions that
    /// are moving them.
    func lockedEntries(
        of partitions: some Sequence<TopicPartition>, _ session: inout PostgresSession
    ) throws(PostgresError) -> [Entry] {
        let partitions = partitions.sorted()
        guard !partitions.isEmpty else { return [] }
        // All writers lock in the same order: a member considered dead may still be in its last transaction.
        let result = try session.query(
            """
            SELECT topic, partition, next_offset, topic_id, leader_epoch FROM \(table)
            WHERE group_name = $1
                AND (topic, partition) IN (SELECT * FROM unnest($2::text[], $3::int[]))
            ORDER BY topic, partition FOR UPDATE
            """,
            parameters: [
                .text(group), Self.list(partitions.map(\.topic)), Self.list(partitions.map { "\($0.partition)" }),
            ])
        return try entries(result)
    }

    /// Adds partitions that the group hasn't read before. If another consumer does so concurrently, its rows are kept.
    ///
    /// The commit waits for the disk. A server crash can then undo the group's later commits, but not the rows of this
    /// table; a row that is missing later was deleted on purpose.
    func add(_ entries: [Entry], _ session: inout PostgresSession) throws(PostgresError) {
        if !entries.isEmpty { try session.execute("SET LOCAL synchronous_commit = on") }
        for entry in entries {
            try session.query(
                """
                INSERT INTO \(table) (group_name, topic, partition, next_offset, topic_id, leader_epoch)
                VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING
                """,
                parameters: [
                    .text(group), .text(entry.partition.topic), PostgresValue(entry.partition.partition),
                    PostgresValue(entry.nextOffset),
                    PostgresValue(entry.topicID), PostgresValue(entry.leaderEpoch),
                ])
        }
    }

    /// The statement that advances the offsets if they have exactly the values at which the batch started.
    ///
    /// The rows stay locked until the transaction ends. Of two writers the second waits here, and then finds that the
    /// offsets have moved.
    ///
    /// - Parameter moves: The result of ``moves(_:over:)``, or ``parametersOfMoves``.
    func move(_ moves: String) -> String {
        """
        UPDATE \(table) AS stored
        SET next_offset = moved.next, updated_at = now(),
            leader_epoch = CASE WHEN moved.epoch >= 0 THEN moved.epoch ELSE stored.leader_epoch END
        FROM unnest(\(moves)) AS moved (topic, partition, expected, next, epoch)
        WHERE stored.group_name = \(groupConstant) AND stored.topic = moved.topic
            AND stored.partition = moved.partition AND stored.next_offset = moved.expected
        """
    }

    /// The moves as parameters of a prepared statement. They are subqueries because the server doesn't use the lists'
    /// lengths in planning then. Otherwise it would plan again for each short list and never use a generic plan.
    static let parametersOfMoves = "(SELECT $1), (SELECT $2), (SELECT $3), (SELECT $4), (SELECT $5)"
    static let typesOfMoves = "text[], int[], bigint[], bigint[], int[]"

    /// A batch's moves as five array constructors. They are sent in one message with BEGIN, which allows no
    /// parameters, so the connection quotes the topics.
    func moves(
        _ progress: [TopicPartition: CopyBatch.Progress], over connection: PostgresConnection
    ) async throws(PostgresError) -> String {
        let topics = try await topicConstants.of(progress.keys.lazy.map(\.topic), over: connection)
        // All writers use the same order, or two could wait for each other's rows.
        let moves = progress.sorted { $0.key < $1.key }
        func list(_ value: (TopicPartition, CopyBatch.Progress) -> String) -> String {
            moves.map { value($0.key, $0.value) }.joined(separator: ",")
        }
        return """
            ARRAY[\(list { place, _ in topics[place.topic] ?? "NULL" })]::text[], \
            ARRAY[\(list { place, _ in "\(place.partition)" })]::int[], \
            ARRAY[\(list { "\($1.expected)" })]::bigint[], ARRAY[\(list { "\($1.next)" })]::bigint[], \
            ARRAY[\(list { "\($1.leaderEpoch)" })]::int[]
            """
    }

    /// Checks the result of that statement.
    ///
    /// - Throws: `Moved` if an offset had another value.
    func check(_ result: PostgresResult, of progress: [TopicPartition: CopyBatch.Progress]) throws(Moved) {
        guard result.affectedRows == progress.count else { throw Moved() }
    }

    /// Topics as SQL string literals, cached because the same topics occur in every batch.
    private final class Constants: Sendable {
        private let known = Lock<[String: String]>([:])

        func of(
            _ topics: some Sequence<String>, over connection: PostgresConnection
        ) async throws(PostgresError) -> [String: String] {
            var constants = known.withLock { $0 }
            var isNew = false
            for topic in topics where constants[topic] == nil {
                constants[topic] = try await connection.literal(topic)
                isNew = true
            }
            if isNew { known.withLock { $0.merge(constants) { $1 } } }
            return constants
        }
    }

    /// The text of an array. Kafka's rules exclude special characters in topic names, but the names come from a broker
    /// and so are escaped.
    static func list(_ values: some Sequence<String>) -> PostgresValue {
        let items = values.map { value in
            "\"" + PostgresText.escaping(["\\", "\""], in: value, with: "\\") + "\""
        }
        return .text("{" + items.joined(separator: ",") + "}")
    }

    /// The stored offsets aren't those at which a batch started. Roll back the transaction.
    struct Moved: Error {}

    /// Makes a commit that waits for the disk, which makes all earlier commits durable too.
    public func makeDurable(
        of topics: some Sequence<String>, _ session: inout PostgresSession
    ) throws(PostgresError) {
        try session.execute("SET LOCAL synchronous_commit = on")
        // A transaction without a write wouldn't wait. Updating a single row can't deadlock with members that update
        // several.
        try session.query(
            """
            UPDATE \(table) SET updated_at = now()
            WHERE group_name = $1 AND (topic, partition) = (
                SELECT topic, partition FROM \(table) WHERE group_name = $1 AND topic = ANY ($2::text[])
                ORDER BY topic, partition LIMIT 1)
            """,
            parameters: [.text(group), Self.list(topics)])
    }

    /// The stored offsets compared with a batch.
    struct Positions: Sendable, Equatable {
        struct Shift: Sendable, Equatable {
            let stored: Int64
            let expected: Int64
            /// Whether the stored offset is too low. Since consumers only increase offsets, the database has lost
            /// commits: in a server crash, or because a standby without the last commits took over.
            var isBehind: Bool { stored < expected }
        }

        /// Whether all messages of the batch are written, by this batch or by others.
        var isWritten = true
        /// The partitions whose stored offset isn't the expected one.
        var shifts: [TopicPartition: Shift] = [:]
        /// Partitions whose row was deleted.
        var missing: [TopicPartition] = []
    }

    /// Compares the stored offsets with a batch.
    ///
    /// Locks the rows: after a lost connection the server may still be committing the batch, and the offsets aren't
    /// known until that is done.
    func positions(
        relativeTo progress: [TopicPartition: CopyBatch.Progress], _ session: inout PostgresSession
    ) throws(PostgresError) -> Positions {
        Self.positions(of: progress, in: try lockedEntries(of: progress.keys, &session))
    }

    /// Compares offsets that were read before.
    static func positions(of progress: [TopicPartition: CopyBatch.Progress], in entries: [Entry]) -> Positions {
        let stored = Dictionary(entries.map { ($0.partition, $0.nextOffset) }) { $1 }
        var positions = Positions()
        for (partition, move) in progress {
            // A group's first offsets are durable before its first batch, so a crash can't remove the row.
            guard let offset = stored[partition] else {
                positions.missing.append(partition)
                continue
            }
            if offset < move.next { positions.isWritten = false }
            if offset != move.expected {
                positions.shifts[partition] = Positions.Shift(stored: offset, expected: move.expected)
            }
        }
        positions.missing.sort()
        return positions
    }

    /// The error for an offset whose row was deleted during a run.
    func missing(_ partition: TopicPartition) -> Failure {
        Failure(
            "the offset of group \(group) for partition \(partition.partition) of topic \(partition.topic) was deleted from \(table) during "
                + "the run; to continue, put it back, or delete the group's rows together with those of its messages "
                + "to read the topic again",
            status: .configuration)
    }
}

/// Partitions have other offsets in the database than a batch expects. Nothing of the batch was written.
struct PositionsMoved: Error {
    let shifts: [TopicPartition: OffsetStore.Positions.Shift]
}

/// Another consumer has moved the offsets of a standalone run, which must not write any more.
public struct Fenced: Error, CustomStringConvertible {
    let group: String
    let partition: TopicPartition
    let shift: OffsetStore.Positions.Shift

    public var description: String {
        "another consumer has moved the offsets of group \(group) in topic \(partition.topic), or they were changed by hand; "
            + "partition \(partition.partition) is at \(shift.stored), and this run expected \(shift.expected); a run with "
            + "--standalone must be the only one of its group: stop the other one, start both without --standalone, or "
            + "give this one a --group of its own"
    }
}
