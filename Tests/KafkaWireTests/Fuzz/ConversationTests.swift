import Foundation
import KafkaWireFuzz
import Testing

import enum TestSupport.LongTests

/// Conversations with a broker that responds with impossible numbers, generated from seeds.
@Suite("Conversations with a hostile broker", .timeLimit(.minutes(2)))
struct ConversationTests {
    /// A number from the environment, for longer manual runs.
    private static func setting(_ name: String, default value: Int) -> Int {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? value
    }

    private static let inputs: [[UInt8]] = {
        var random = RandomValues(seed: UInt64(setting("KAFKAWIRE_CONVERSATION_SEED", default: 7)))
        return (0..<setting("KAFKAWIRE_CONVERSATIONS", default: LongTests.count(300, quick: 60))).map { index in
            let roles = ConversationFuzzer.Role.allCases
            let changes = (0..<Int(1 + random.next() % 4)).flatMap { _ in
                (0..<4).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            }
            let input = ConversationFuzzer.input(
                roles[index % roles.count], options: UInt8(truncatingIfNeeded: random.next()), changes: changes)
            return input
        }
    }()

    @Test("whatever numbers a broker returns, nothing traps and every call ends", arguments: 0..<20)
    func conversations(part: Int) async throws {
        for index in stride(from: part, to: Self.inputs.count, by: 20) {
            let input = Self.inputs[index]
            try await ConversationFuzzer.run(input)
            try FuzzSeedTests.keep(input, "conversations", "seeded-\(index)")
        }
    }

    /// Changes to a consumer's responses, as in `AnswerChanges`: API, which responses, field, value.
    @Test(
        "numbers that once caused a failure",
        arguments: [
            // ListOffsets returns -1 for both partitions, Fetch no error and the high watermark 2^63-1.
            [2, 4, 7, 2, 2, 4, 12, 2, 0, 4, 8, 1, 0, 4, 9, 0, 0, 4, 30, 1, 0, 4, 31, 0],
            // The same with the last stable offset, and with a diverging epoch that ends at 2^63-1.
            [2, 4, 7, 2, 2, 4, 12, 2, 0, 4, 8, 1, 0, 4, 10, 0, 0, 4, 12, 3, 0, 4, 13, 0],
        ] as [[UInt8]])
    func found(changes: [UInt8]) async throws {
        for options in [UInt8(0), 8, 16, 24] {
            try await ConversationFuzzer.run(ConversationFuzzer.input(.consumer, options: options, changes: changes))
        }
    }

    /// The responses with a throttle time in each role, as indices of the APIs in `AnswerChanges`.
    private static let pausing: [(ConversationFuzzer.Role, [UInt8])] = [
        (.consumer, [0, 2, 3]), (.classicMember, [7, 8, 9, 10, 12, 13]), (.consumerMember, [7, 11, 12, 13]),
        (.producer, [5, 6]), (.transactions, [5, 6, 14, 15, 16]), (.administrator, [1, 2]),
    ]

    @Test("no call waits for a throttle time of 24 days", arguments: pausing)
    func pauses(role: ConversationFuzzer.Role, apis: [UInt8]) async throws {
        for api in apis {
            // The first response and all later ones, the throttle time field, 2^31-1 ms. A conversation that takes a
            // minute ends the process.
            try await ConversationFuzzer.run(
                ConversationFuzzer.input(role, options: 0, changes: [api, 4, 0, 7]))
        }
    }

    @Test("an unchanged conversation succeeds in each role", arguments: ConversationFuzzer.Role.allCases)
    func sound(role: ConversationFuzzer.Role) async throws {
        for options in [UInt8(0), 2, 3] {
            let input = ConversationFuzzer.input(role, options: options, changes: [])
            try await ConversationFuzzer.run(input)
            try FuzzSeedTests.keep(input, "conversations", "sound-\(role)-\(options)")
        }
    }
}
