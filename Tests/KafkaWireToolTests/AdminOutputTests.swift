import CommandLineSupport
import Foundation
import KafkaFake
import KafkaWire
import TestSupport
import Testing

/// The output of the administration commands for names with control characters.
@Suite("Output of administration commands", .timeLimit(.minutes(2)))
struct AdminOutputTests {
    /// C0 and C1 controls, line feeds, and a bidirectional override.
    private static let attack = "e\n\u{1b}[2J\u{9b}31m\u{202e}\t\u{85}x"
    private static let shown = "e\\n\\x1b[2J\\u{9b}31m\\u{202e}\\t\\u{85}x"

    /// Runs a command that must succeed, and returns its output lines.
    private func lines(_ fake: FakeCluster, _ arguments: [String]) async throws -> [String] {
        let result = try await run(
            try Repository.program("kafkawire"), arguments + ["-b", fake.bootstrapServers])
        #expect(result.status == 0, "\(result.err)")
        #expect(!result.out.unicodeScalars.contains { ForeignText.isHidden($0) && $0 != "\n" }, "\(result.out)")
        #expect(result.out.hasSuffix("\n"))
        return result.out.dropLast().split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    @Test func describedTopicsAreLinesOfATable() async throws {
        try await withFake { fake in
            let first = fake.createTopic("a", partitions: 2)
            let second = fake.createTopic("b")
            let described = try await lines(fake, ["topics", "describe", "a", "b"])
            let header = "PARTITION  LEADER  EPOCH  REPLICAS  IN SYNC"
            #expect(described.count == 7)
            #expect(described[0] == "a  id \(first)")
            #expect(described[1] == header)
            #expect(described[2] == "0          1       0      1         1")
            #expect(described[3] == "1          1       0      1         1")
            #expect(described[4] == "b  id \(second)")
            #expect(described[5] == header)
            #expect(described[6] == "0          1       0      1         1")
        }
    }

    @Test func eachListedTopicIsALine() async throws {
        try await withFake { fake in
            fake.createTopic("a")
            fake.createTopic(Self.attack)
            let names = try await lines(fake, ["topics", "list"])
            #expect(names == ["a", Self.shown])
            let list = try await lines(fake, ["-L"])
            #expect(list.contains("  topic \"\(Self.shown)\" with 1 partitions:"), "\(list)")
        }
    }

    @Test(arguments: ["classic", "consumer"])
    func aDescribedGroupIsATableOfItsMembers(protocolName: String) async throws {
        try await withFake { fake in
            fake.createTopic("t")
            let client = try KafkaClient(
                bootstrapServers: fake.bootstrapServers,
                properties: [
                    "group.id": Self.attack, "client.id": Self.attack, "group.protocol": protocolName,
                    "group.instance.id": "m",
                ])
            let consumer = client.consumer()
            try await consumer.subscribe(to: .topics(["t"]))
            let reading = Task { for try await _ in consumer {} }
            try await eventually("the member has the partition") { !consumer.assignment.isEmpty }
            let described = try await lines(fake, ["groups", "describe", Self.attack])
            #expect(described.count == 3, "\(described)")
            #expect(described[0].hasPrefix("\(Self.shown)  \(protocolName)  Stable  coordinator 127.0.0.1:"))
            #expect(described[1].split(separator: " ") == ["MEMBER", "CLIENT", "HOST", "PARTITIONS"])
            #expect(described[2].hasPrefix("m       \(Self.shown)  "), "\(described[2])")
            #expect(described[2].hasSuffix("t-0"), "\(described[2])")
            let listed = try await lines(fake, ["groups", "list"])
            #expect(listed.count == 2, "\(listed)")
            #expect(listed.last?.hasPrefix("\(Self.shown)  ") == true, "\(listed)")
            await consumer.close()
            try await reading.value
            await client.close()
        }
    }

    @Test func changesAreReportedAsLines() async throws {
        try await withFake { fake in
            fake.createTopic("t")
            let offsets = try await lines(fake, ["groups", "set-offsets", Self.attack, "t:0:0"])
            #expect(offsets == ["set the offset of \(Self.shown) in t-0 to 0"])
            let created = try await lines(fake, ["topics", "create", "n", "--partitions", "2"])
            #expect(created == ["created n with 2 partitions"])
        }
    }
}
