import KafkaFake
import KafkaWire

/// A consumer, producer, group member or administrator in conversation with a broker that answers properly but for some
/// numbers, which the input changes to impossible ones.
///
/// Whatever the broker answers, nothing may trap, every call has to end, and so does closing.
package enum ConversationFuzzer {
    /// What the client does in a conversation.
    package enum Role: UInt8, CaseIterable, Sendable {
        case consumer, classicMember, consumerMember, producer, transactions, administrator
    }

    /// How long one conversation may take. Each call has a time limit of at most a second, and closing adds to that.
    private static let limit = Duration.seconds(60)

    /// An input: the role and its options, then the changes of answers, 4 bytes each.
    package static func input(_ role: Role, options: UInt8, changes: some Collection<UInt8>) -> [UInt8] {
        [role.rawValue, options] + changes
    }

    /// Has a conversation.
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
            // A task that doesn't end can't be left alone: the process ends, as after a trap.
            fatalError("a conversation hasn't ended after \(limit): \(input)")
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
