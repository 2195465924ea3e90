import CommandLineSupport
import Concurrency
import KafkaWire
import PGWire

/// The offsets that are kept in the database, beside the rows that they stand for.
public struct OffsetStore: Sendable {
    /// Where a group goes on in one partition.
    public struct Entry: Sendable, Equatable {
        public var partition: TopicPartition
        public var nextOffset: Int64
        /// The topic's id when the offset was written; nil where the broker doesn't tell (before Kafka 2.8).
        public var topicID: String?
        /// The leader epoch of the last record; nil where it isn't known.
        var leaderEpoch: Int32?
    }

    /// The offsets table in its schema, not quoted.
    public static let tableName = "kafka_offset"

    /// The offsets table, quoted.
    let table: String
    public let group: String
    /// The group as a string constant.
    private let groupConstant: String
    private let topicConstants = Constants()

    /// - Parameters:
    ///   - table: The offsets table, quoted.
    ///   - connection: Any connection to the database; it quotes the group.
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

    /// The group's offsets of some partitions, locked until the transaction ends: waits for others that are about to move
    /// them.
    func lockedEntries(
        of partitions: some Sequence<TopicPartition>, _ session: inout PostgresSession
    ) throws(PostgresError) -> [Entry] {
        let partitions = partitions.sorted()
        guard !partitions.isEmpty else { return [] }
        // In one order for all: a member that was taken for dead may still be at its last transaction.
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

    /// Adds partitions that the group hasn't read before. Another consumer that does the same at this moment wins.
    ///
    /// The transaction's commit then waits for the disk, so that a crash of the server can take the group's commits back
    /// but not its rows in this table. A row that is missing later was deleted by somebody.
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

    /// The statement that moves the offsets on, from exactly the values that the batch started at.
    ///
    /// The rows are locked until the transaction ends, so that of two writers the second waits here, and then finds the
    /// offsets moved.
    ///
    /// - Parameter moves: What ``moves(_:over:)`` gives, or ``parametersOfMoves``.
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

    /// The moves of a prepared statement. As subqueries, whose length the server doesn't look at when it plans: it would
    /// plan anew for each short list, and never use one plan again.
    static let parametersOfMoves = "(SELECT $1), (SELECT $2), (SELECT $3), (SELECT $4), (SELECT $5)"
    static let typesOfMoves = "text[], int[], bigint[], bigint[], int[]"

    /// The moves of a batch as five lists. They are sent together with BEGIN, and so are no parameters: the connection
    /// quotes the topics.
    func moves(
        _ progress: [TopicPartition: CopyBatch.Progress], over connection: PostgresConnection
    ) async throws(PostgresError) -> String {
        let topics = try await topicConstants.of(progress.keys.lazy.map(\.topic), over: connection)
        // Always in the same order, or two writers could wait for each other's rows.
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

    /// Call with the result of that statement.
    ///
    /// - Throws: `Moved` if any offset had another value.
    func check(_ result: PostgresResult, of progress: [TopicPartition: CopyBatch.Progress]) throws(Moved) {
        guard result.affectedRows == progress.count else { throw Moved() }
    }

    /// Topics as string constants, each quoted once: the same ones are written again and again.
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

    /// An array of numbers or topics as its text. Topic names have no character that an array's text gives a meaning,
    /// but they come from a broker.
    static func list(_ values: some Sequence<String>) -> PostgresValue {
        let items = values.map { value in
            "\"" + PostgresText.escaping(["\\", "\""], in: value, with: "\\") + "\""
        }
        return .text("{" + items.joined(separator: ",") + "}")
    }

    /// The offsets aren't those that a batch started at. The transaction that found it out is to be rolled back.
    struct Moved: Error {}

    /// Writes a commit that waits for the disk, and with it for all that were made before.
    public func makeDurable(
        of topics: some Sequence<String>, _ session: inout PostgresSession
    ) throws(PostgresError) {
        try session.execute("SET LOCAL synchronous_commit = on")
        // A transaction that writes nothing would wait for nothing. One row is enough, and can't lead to a deadlock with
        // members that move several.
        try session.query(
            """
            UPDATE \(table) SET updated_at = now()
            WHERE group_name = $1 AND (topic, partition) = (
                SELECT topic, partition FROM \(table) WHERE group_name = $1 AND topic = ANY ($2::text[])
                ORDER BY topic, partition LIMIT 1)
            """,
            parameters: [.text(group), Self.list(topics)])
    }

    /// Where the offsets are, seen from a batch.
    struct Positions: Sendable, Equatable {
        struct Shift: Sendable, Equatable {
            let stored: Int64
            let expected: Int64
            /// Whether the offset is behind: the whole database has gone back, after a crash of the server, which takes the
            /// last commits back, or with a standby that had not got them. Consumers only move offsets on.
            var isSetBack: Bool { stored < expected }
        }

        /// Whether no message of the batch is left to write: this batch, or others with the same messages, were committed.
        var isWritten = true
        /// The partitions that aren't at the offset that the batch expects.
        var shifts: [TopicPartition: Shift] = [:]
        /// Partitions that the database has no row for any more.
        var missing: [TopicPartition] = []
    }

    /// Compares the offsets with a batch.
    ///
    /// Locks them: the server may still be about to commit the batch for a connection that is lost, and then it isn't
    /// known where they are before that is done.
    func positions(
        relativeTo progress: [TopicPartition: CopyBatch.Progress], _ session: inout PostgresSession
    ) throws(PostgresError) -> Positions {
        Self.positions(of: progress, in: try lockedEntries(of: progress.keys, &session))
    }

    /// The same for offsets that were read.
    static func positions(of progress: [TopicPartition: CopyBatch.Progress], in entries: [Entry]) -> Positions {
        let stored = Dictionary(entries.map { ($0.partition, $0.nextOffset) }) { $1 }
        var positions = Positions()
        for (partition, move) in progress {
            // The first offsets of a group are on the disk before a batch is sent, so no crash takes the row away.
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

    /// What to say if rows of a group that is at work are gone.
    func missing(_ partition: TopicPartition) -> Failure {
        Failure(
            "the offset of group \(group) for partition \(partition.partition) of topic \(partition.topic) was deleted from \(table) during "
                + "the run; to continue, put it back, or delete the group's rows together with those of its messages "
                + "to read the topic again",
            status: .configuration)
    }
}

/// Partitions are at other offsets in the database than a batch expects. Nothing of the batch was written.
struct PositionsMoved: Error {
    let shifts: [TopicPartition: OffsetStore.Positions.Shift]
}

/// Another consumer has moved the offsets of a run that reads all partitions alone: it must not write any more.
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
