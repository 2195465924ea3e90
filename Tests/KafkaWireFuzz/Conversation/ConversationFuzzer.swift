import KafkaFake
import KafkaWire

/// Runs a consumer, producer, group member or administrator against a broker whose responses contain impossible
/// numbers.
///
/// The input selects the role and the changes to otherwise valid responses. Nothing may trap, and every call must end,
/// including `close`.
package enum ConversationFuzzer {
    /// What the client does in a conversation.
    package enum Role: UInt8, CaseIterable, Sendable {
        case consumer, classicMember, consumerMember, producer, transactions, administrator
    }

    /// The time limit of one conversation. Each call takes at most a second, plus the time for closing.
    private static let limit = Duration.seconds(60)

    /// An input: the role and its options, then the changes to responses, 4 bytes each.
    package static func input(_ role: Role, options: UInt8, changes: some Collection<UInt8>) -> [UInt8] {
        [role.rawValue, options] + changes
    }

    /// Runs a conversation.
    ///
    /// A conversation that doesn't end within a minute ends the process.
    ///
    /// - Throws: Errors of the broker's sockets.
    package static func run(_ input: [UInt8]) async throws {
        guard input.count >= 2 else { return }
        let role = Role.allCases[Int(input[0]) % Role.allCases.count]
        let options = input[1]
        let versions: SpokenVersions =
            switch options & 3 {
            case 0, 1: .latest
            case 2: .kafka39
            default: role == .consumerMember ? .latest : .kafka21
            }
        let fake = try FakeCluster(brokers: options & 4 == 0 ? 1 : 2, versions: versions, time: .still)
        fake.createTopic("t", partitions: 2)
        for partition in Int32(0)..<2 {
            for _ in 0..<3 { fake.append(try batch(), to: TopicPartition(topic: "t", partition: partition)) }
        }
        let changes = AnswerChanges(input.dropFirst(2))
        fake.changeAnswers { changes.change($0, $1, $2) }
        let conversation = Conversation(fake, role, options)
        let talk = Task { try await conversation.run() }
        let watchdog = Task {
            try await Task.sleep(for: limit)
            // A task that doesn't end can't be abandoned, so end the process, as after a trap.
            fatalError("a conversation has not ended after \(limit): \(input)")
        }
        defer { watchdog.cancel() }
        try await talk.value
        await fake.close()
    }

    private static func batch() throws -> [UInt8] {
        var builder = RecordBatchBuilder(pool: BufferPool(limit: 0))
        for index in 0..<3 as Range<Int64> {
            try builder.append(key: nil, value: [UInt8(index)], timestamp: 1000 + index)
        }
        var batch = try builder.finish(compression: .none)
        return Array(batch.stamp())
    }
}
