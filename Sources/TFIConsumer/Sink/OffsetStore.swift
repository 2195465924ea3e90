import CommandLineSupport
import PGWire

/// The offsets that are kept in the database, beside the rows that they stand for.
struct OffsetStore: Sendable {
    /// Where a group goes on in one partition.
    struct Entry: Sendable, Equatable {
        var partition: Int32
        var nextOffset: Int64
        /// The topic's id when the offset was written; nil where the broker doesn't tell (before Kafka 2.8).
        var topicID: String?
        /// The leader epoch of the last record; nil where it isn't known.
        var leaderEpoch: Int32?
    }

    /// The offsets table in its schema, not quoted.
    static let tableName = "kafka_offset"

    /// The offsets table, quoted.
    let table: String
    let group: String
    let topic: String
    /// Group and topic as string constants.
    private let constants: (group: String, topic: String)

    /// - Parameters:
    ///   - table: The offsets table, quoted.
    ///   - connection: Any connection to the database; it quotes the names.
    /// - Throws: `PostgresError`.
    init(table: String, group: String, topic: String, over connection: PostgresConnection) async throws {
        self.table = table
        self.group = group
        self.topic = topic
        constants = (try await connection.literal(group), try await connection.literal(topic))
    }

    /// - Parameter locking: Whether to wait for others that are about to move them, and keep them from it until the
    ///   transaction ends.
    func entries(_ session: inout PostgresSession, locking: Bool = false) throws(PostgresError) -> [Entry] {
        let result = try session.query(
            """
            SELECT partition, next_offset, topic_id, leader_epoch FROM \(table)
            WHERE group_name = $1 AND topic = $2 ORDER BY partition\(locking ? " FOR UPDATE" : "")
            """, parameters: [.text(group), .text(topic)])
        var entries: [Entry] = []
        for row in result.rows {
            entries.append(
                Entry(
                    partition: try row.decode(0), nextOffset: try row.decode(1), topicID: try row.decodeIfPresent(2),
                    leaderEpoch: try row.decodeIfPresent(3)))
        }
        return entries
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
                    .text(group), .text(topic), PostgresValue(entry.partition), PostgresValue(entry.nextOffset),
                    PostgresValue(entry.topicID), PostgresValue(entry.leaderEpoch),
                ])
        }
    }

    /// The statement that moves the offsets on, from exactly the values that the batch started at.
    ///
    /// It is sent together with BEGIN, and so has no parameters. The rows are locked until the transaction ends, so that
    /// of two writers the second waits here, and then finds the offsets moved.
    func move(_ progress: [Int32: CopyBatch.Progress]) -> String {
        // Always in the same order, or two writers could wait for each other's rows.
        let moves = progress.sorted { $0.key < $1.key }
        func list(_ value: (Int32, CopyBatch.Progress) -> some BinaryInteger) -> String {
            moves.map { "\(value($0.key, $0.value))" }.joined(separator: ",")
        }
        return """
            UPDATE \(table) AS stored
            SET next_offset = moved.next, updated_at = now(),
                leader_epoch = CASE WHEN moved.epoch >= 0 THEN moved.epoch ELSE stored.leader_epoch END
            FROM unnest(ARRAY[\(list { partition, _ in partition })]::int[],
                ARRAY[\(list { $1.expected })]::bigint[], ARRAY[\(list { $1.next })]::bigint[],
                ARRAY[\(list { $1.leaderEpoch })]::int[]) AS moved (partition, expected, next, epoch)
            WHERE stored.group_name = \(constants.group) AND stored.topic = \(constants.topic) AND stored.partition = moved.partition
                AND stored.next_offset = moved.expected
            """
    }

    /// Call with the result of that statement.
    ///
    /// - Throws: `Moved` if any offset had another value.
    func check(_ result: PostgresResult, of progress: [Int32: CopyBatch.Progress]) throws(Moved) {
        guard result.affectedRows == progress.count else { throw Moved() }
    }

    /// The offsets aren't those that a batch started at. The transaction that found it out is to be rolled back.
    struct Moved: Error {}

    /// Writes a commit that waits for the disk, and with it for all that were made before.
    func makeDurable(_ session: inout PostgresSession) throws(PostgresError) {
        try session.execute("SET LOCAL synchronous_commit = on")
        // A transaction that writes nothing would wait for nothing.
        try session.query(
            "UPDATE \(table) SET updated_at = now() WHERE group_name = $1 AND topic = $2",
            parameters: [.text(group), .text(topic)])
    }

    enum Position: Equatable {
        case beforeBatch, afterBatch
        /// Before the batch, and some of them further back than where it started.
        case setBack
        /// The database has no row for this partition any more.
        case missing(Int32)
        /// Moved by somebody else.
        case elsewhere(Moved)

        struct Moved: Equatable, Sendable {
            var partition: Int32
            var stored: Int64
            var expected: Int64
        }
    }

    /// Where the offsets are, seen from a batch.
    ///
    /// Locks them: the server may still be about to commit the batch for a connection that is lost, and then it isn't
    /// known where they are before that is done.
    func position(
        relativeTo progress: [Int32: CopyBatch.Progress], _ session: inout PostgresSession
    ) throws(PostgresError) -> Position {
        Self.position(of: progress, in: try entries(&session, locking: true))
    }

    /// The same for offsets that were read.
    static func position(of progress: [Int32: CopyBatch.Progress], in entries: [Entry]) -> Position {
        let stored = Dictionary(entries.map { ($0.partition, $0.nextOffset) }) { $1 }
        let moves = progress.sorted { $0.key < $1.key }
        // The first offsets of a group are on the disk before a batch is sent, so no crash takes the row away.
        if let gone = moves.first(where: { stored[$0.key] == nil }) { return .missing(gone.key) }
        if moves.allSatisfy({ stored[$0.key] == $0.value.next }) { return .afterBatch }
        if moves.allSatisfy({ stored[$0.key] == $0.value.expected }) { return .beforeBatch }
        // Consumers only move offsets on. Back they go with the whole database: after a crash of the server, which
        // takes the last commits back, or with a standby that had not got them.
        for (partition, move) in moves {
            guard let offset = stored[partition], offset > move.expected else { continue }
            return .elsewhere(.init(partition: partition, stored: offset, expected: move.expected))
        }
        return .setBack
    }

    /// What to say if rows of a group that is at work are gone.
    func missing(_ partition: Int32) -> Failure {
        Failure(
            "the offset of group \(group) for partition \(partition) of topic \(topic) was deleted from \(table) during "
                + "the run; to continue, put it back, or delete the group's rows together with those of its messages "
                + "to read the topic again",
            status: .configuration)
    }
}

/// The offsets in the database are further back than the last commits: it has lost them, or somebody has moved the
/// offsets back. Either way the messages have to be read again.
struct CommitsLost: Error {}

/// Another consumer of the same group has moved the offsets: this one must not write any more.
struct Fenced: Error, CustomStringConvertible {
    let group: String
    let topic: String
    var moved: OffsetStore.Position.Moved?

    var description: String {
        let place = moved.map { "; partition \($0.partition) is at \($0.stored), and this run expected \($0.expected)" }
        return "another consumer has moved the offsets of group \(group) in topic \(topic), or they were changed by "
            + "hand\(place ?? ""); only one consumer may run for a group: stop the other one, or give this one a "
            + "--group of its own"
    }
}
