import Foundation
import KafkaFake
import KafkaWire
import TestSupport
import Testing

/// The article "First steps" is followed literally: its program is Examples/FirstSteps.
@Suite struct FirstStepsTests {
    @Test func `the article's program is the example`() throws {
        let article = try read("Sources/KafkaWire/KafkaWire.docc/FirstSteps.md")
        let program = codeBlocks(article).joined(separator: "\n")
        #expect(program == (try read("Examples/FirstSteps/main.swift")))
    }

    @Test func `the other articles quote their programs`() throws {
        for (article, sources) in [
            ("SignalsAndShutdown", ["SignalsAndShutdown/SignalsAndShutdown.swift"]),
            ("HealthProbes", ["HealthProbes/HealthProbes.swift", "HealthProbes/Health.swift"]),
            (
                "UnitTestsWithTheFake",
                ["UnitTests/Orders/OrderService.swift", "UnitTests/Tests/OrderServiceTests.swift"]
            ),
        ] {
            let programs = try sources.map { lines(try read("Examples/\($0)")) }
            let blocks = codeBlocks(try read("Sources/KafkaWire/KafkaWire.docc/\(article).md"))
            #expect(!blocks.isEmpty, "\(article)")
            for block in blocks {
                let quoted = lines(block)
                #expect(
                    programs.contains { $0.contains(quoted) },
                    "\(article) has code that is not in its program:\n\(block)")
            }
        }
    }

    @Test(arguments: [1, 6]) func `the program writes and reads a topic of any size`(partitions: Int) async throws {
        let fake = try FakeCluster()
        fake.createTopic("greetings", partitions: partitions)
        let result = try await followArticle(fake)
        #expect(result.status == 0, "\(result.err)")
        #expect(values(result.out) == ["hello", "in", "order", "once"])
        // Everything that was read is committed, so the next run shows its own records alone.
        #expect(values(try await followArticle(fake).out) == ["hello", "in", "order", "once"])
        await fake.close()
    }

    @Test(arguments: [false, true]) func `the program creates its topic`(isPermitted: Bool) async throws {
        let fake = try FakeCluster()
        // Whether the broker would create it by itself makes no difference.
        fake.setTopicCreation(isPermitted)
        let result = try await followArticle(fake)
        #expect(result.status == 0, "\(result.err)")
        #expect(values(result.out) == ["hello", "in", "order", "once"])
        await fake.close()
    }

    @Test func `a topic that nobody creates is an error that says what to do`() async throws {
        let fake = try FakeCluster()
        let client = try KafkaClient(
            bootstrapServers: fake.bootstrapServers,
            properties: [
                "max.block.ms": "15000", "delivery.timeout.ms": "15000",
                "request.timeout.ms": "10000", "linger.ms": "0",
            ])
        let producer = client.producer()
        let error = try await kafkaError {
            _ = try await producer.send(ProducerRecord(topic: "greetings", value: "hello"))
        }
        #expect(error.code == .unknownTopicOrPartition && error.topic == "greetings")
        #expect("\(error)".contains("does not exist; create it with kafkawire topics create greetings"), "\(error)")
        await producer.close()
        await client.close()
        await fake.close()
    }

    private func followArticle(_ fake: FakeCluster) async throws -> ProgramResult {
        try await run(try Repository.program("example-first-steps"), [fake.bootstrapServers])
    }

    /// The values that the program has read, without the line about what it has written.
    private func values(_ output: String) -> [String] {
        output.split(separator: "\n").filter { !$0.hasPrefix("written: ") }.compactMap {
            $0.split(separator: " ").last.map(String.init)
        }
    }

    private func read(_ path: String) throws -> String {
        try String(contentsOf: Repository.root.appending(path: path), encoding: .utf8)
    }

    /// The Swift code blocks of an article.
    private func codeBlocks(_ article: String) -> [String] {
        article.components(separatedBy: "```swift\n").dropFirst().map {
            $0.components(separatedBy: "```")[0]
        }
    }

    /// The lines of a program, without their indentation.
    private func lines(_ code: String) -> [String] {
        code.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }
}
