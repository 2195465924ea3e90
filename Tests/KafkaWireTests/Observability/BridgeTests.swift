import Concurrency
import Foundation
import KafkaFake
import Testing

@testable import KafkaWire

@Suite("The article on observability", .timeLimit(.minutes(1)))
struct BridgeTests {
    private func article() throws -> String {
        let root = URL(filePath: #filePath).appending(path: "../../../..").standardized
        return try String(
            contentsOf: root.appending(path: "Sources/KafkaWire/KafkaWire.docc/Observability.md"), encoding: .utf8)
    }

    @Test("Its bridges equal the ones that are compiled here")
    func snippets() throws {
        let compiled = try String(
            contentsOf: URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Bridges.swift"),
            encoding: .utf8)
        let blocks = try article().components(separatedBy: "```").enumerated().filter { $0.offset % 2 == 1 }.map(
            \.element
        )
        .filter { $0.hasPrefix("swift\n///") }.map { String($0.dropFirst("swift\n".count)) }
        #expect(blocks.count == 3)
        for block in blocks { #expect(compiled.contains(block)) }
    }

    @Test("It lists exactly the names of all metrics", arguments: MetricName.allCases)
    func names(name: MetricName) throws {
        let rows = try article().split(separator: "\n").filter { $0.hasPrefix("| `kafka.") }
        #expect(rows.count == MetricName.allCases.count)
        #expect(rows.contains { $0.hasPrefix("| `\(name.rawValue)` |") })
    }

    @Test("A swift-log logger gets level, message, metadata and source, and no line below its level")
    func log() async throws {
        let lines = Lock<[String]>([])
        let logger = Logger(logLevel: .debug) { level, message, metadata, source in
            let broker: String = if case .string(let text) = metadata?["broker"] { text } else { "" }
            lines.withLock { $0.append("\(level) \(message) \(broker) \(source ?? "")") }
        }
        try await withFake(logger: SwiftLogLogger(logger: logger)) { fake, cluster in
            _ = try await cluster.anyConnection()
            #expect(lines.withLock { $0 } == ["debug connected \(fake.bootstrapServers) KafkaWire"])
        }
    }

    @Test("swift-metrics instruments get the values of counters, gauges and timers")
    func metrics() {
        let metrics = SwiftMetrics()
        metrics.counter("bridge", dimensions: [("a", "b")])(3)
        metrics.gauge("bridge", dimensions: [])(2.5)
        metrics.timer("bridge", dimensions: [])(.microseconds(7))
        #expect(
            LocalMetrics.shared.lines(of: "bridge") == [
                #"bridge [("a", "b")] + 3"#, "bridge [] = 2.5", "bridge [] 7000 ns",
            ])
    }

    @Test("A service ends on a graceful shutdown")
    func service() async throws {
        let fake = try FakeCluster()
        fake.createTopic("t")
        try fake.fill(TopicPartition("t"), [["a", "b"]])
        let client = try KafkaClient(bootstrapServers: fake.bootstrapServers)
        let consumer = client.consumer()
        await consumer.assign([TopicPartition("t"): ConsumerStart(.earliest)])
        let shutdown = LocalShutdown()
        let seen = Lock(0)
        let service = ConsumerService(client: client, consumer: consumer) { batch in
            let count = try batch.readRecords().count
            seen.withLock { $0 += count }
            shutdown.begin()
        }
        try await LocalShutdown.$current.withValue(shutdown) { try await service.run() }
        #expect(seen.withLock { $0 } == 2)
        await fake.close()
    }
}
