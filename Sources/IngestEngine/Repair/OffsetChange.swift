import CommandLineSupport
import KafkaWire
import PGWire

/// A new offset for a group in one partition, chosen by a user.
public struct OffsetChange: Sendable, Equatable {
    public let partition: TopicPartition
    /// The current offset; nil if the group hasn't read the partition.
    public let from: Int64?
    public let to: Int64
    /// The topic's id; nil if the broker doesn't report it.
    public let topicID: String?

    public init(partition: TopicPartition, from: Int64?, to: Int64, topicID: String?) {
        (self.partition, self.from, self.to, self.topicID) = (partition, from, to, topicID)
    }
}

extension OffsetStore {
    /// How long an offset must be unchanged, in seconds. A run moves the offsets of partitions with messages
    /// constantly.
    private static let quietSeconds = 5

    /// Changes offsets in a transaction of their own, and records the user.
    ///
    /// - Parameter table: The table of the records, quoted.
    /// - Throws: `Failure` with status `conflict` if an offset isn't at the expected value or was moved just now.
    public func change(
        _ changes: [OffsetChange], by user: String, recordedIn table: String, _ session: inout PostgresSession
    ) throws {
        // Wait for the disk: if a crash undid the change, the user would not notice.
        try session.execute("SET LOCAL synchronous_commit = on; SET LOCAL lock_timeout = '10s'")
        let present = Dictionary(
            try lockedEntries(of: changes.map(\.partition), &session).map { ($0.partition, $0.nextOffset) }
        ) { $1 }
        // Ignores changes by hand, whose record has the same transaction time.
        let moving = try session.query(
            """
            SELECT topic, partition FROM \(self.table) AS stored
            WHERE group_name = $1 AND (topic, partition) IN (SELECT * FROM unnest($2::text[], $3::int[]))
                AND updated_at > now() - interval '\(Self.quietSeconds) s'
                AND NOT EXISTS (
                    SELECT FROM \(table) AS change
                    WHERE change.group_name = stored.group_name AND change.topic = stored.topic
                        AND change.partition = stored.partition AND change.changed_at = stored.updated_at)
            ORDER BY topic, partition LIMIT 1
            """,
            parameters: [
                .text(group), Self.list(changes.map(\.partition.topic)),
                Self.list(changes.map { "\($0.partition.partition)" }),
            ]
        ).rows.first
        if let moving {
            let partition = TopicPartition(topic: try moving.decode(0), partition: try moving.decode(1))
            throw Failure(
                "the offset of \(partition) was moved within the last \(Self.quietSeconds) s, so a run of group \(group) seems "
                    + "to be active: stop it, then retry", status: .conflict)
        }
        for change in changes {
            guard present[change.partition] == change.from else {
                throw Failure(
                    "the offset of \(change.partition) is not \(change.from.map { "\($0)" } ?? "missing") any more: a run of "
                        + "group \(group) is active; stop it, then retry", status: .conflict)
            }
            try session.query(
                """
                INSERT INTO \(self.table) (group_name, topic, partition, next_offset, topic_id)
                VALUES ($1, $2, $3, $4, $5)
                ON CONFLICT (group_name, topic, partition) DO UPDATE
                SET next_offset = excluded.next_offset, topic_id = excluded.topic_id, leader_epoch = NULL,
                    updated_at = now()
                """,
                parameters: [
                    .text(group), .text(change.partition.topic), PostgresValue(change.partition.partition),
                    PostgresValue(change.to), PostgresValue(change.topicID),
                ])
            try session.query(
                """
                INSERT INTO \(table) (changed_by, group_name, topic, partition, from_offset, to_offset)
                VALUES (concat_ws(' as ', $1::text, session_user), $2, $3, $4, $5, $6)
                """,
                parameters: [
                    .text(user), .text(group), .text(change.partition.topic),
                    PostgresValue(change.partition.partition), PostgresValue(change.from), PostgresValue(change.to),
                ])
        }
    }
}
