import Concurrency
import Foundation
import KafkaFake
import Testing

@testable import KafkaWire

/// Runs a test with a fake cluster and its client, and closes both.
func withFake(
    brokers: Int = 1, versions: SpokenVersions = .latest, properties: [String: String] = [:], timing: Timing = Timing(),
    time: FakeTime = .running, logger: (any KafkaLogger)? = nil, metrics: (any KafkaMetrics)? = nil,
    hooks: ClientHooks = ClientHooks(),
    _ body: (FakeCluster, Cluster) async throws -> Void
) async throws {
    let fake = try FakeCluster(brokers: brokers, versions: versions, time: time)
    // Short backoffs, so that tests retry immediately.
    let quick = ["retry.backoff.ms": "2", "retry.backoff.max.ms": "20", "reconnect.backoff.ms": "2"]
    let configuration = try ClientConfiguration(
        bootstrapServers: fake.bootstrapServers, properties: quick.merging(properties) { $1 })
    let cluster = Cluster(
        configuration: configuration, timing: timing,
        observer: ClientObserver(logger: logger, metrics: metrics, hooks: hooks))
    do {
        try await body(fake, cluster)
        await cluster.close()
        await fake.close()
    } catch {
        await cluster.close()
        await fake.close()
        throw error
    }
}

extension TopicPartition {
    init(_ topic: String, _ partition: Int32 = 0) {
        self.init(topic: topic, partition: partition)
    }
}

/// A record's offset and value, for comparisons in tests.
struct ReadRecord: Equatable, CustomStringConvertible {
    let offset: Int64
    let value: String

    var description: String { "\(offset):\(value)" }
}

extension RecordBatch {
    func readRecords() throws -> [ReadRecord] {
        var found: [ReadRecord] = []
        var records = makeIterator()
        while let record = try records.next() {
            var text = "null"
            if let value = record.value { text = String(repairingUTF8: value) }
            found.append(ReadRecord(offset: record.offset, value: text))
        }
        return found
    }
}

extension FakeCluster {
    /// The decompressed values in a partition's log, with their offsets.
    func log(of partition: TopicPartition) throws -> [ReadRecord] {
        let pool = BufferPool(limit: 0)
        return try batches(of: partition).flatMap { bytes in
            var reader = RecordBatchReader(
                topic: partition.topic, partition: partition.partition, records: bytes, from: 0,
                maximumInflatedBytes: 1 << 30, pool: pool)
            return try reader.next()?.readRecords() ?? []
        }
    }

    /// Appends batches to a log as a producer that isn't idempotent, one batch for each list of values.
    func fill(_ partition: TopicPartition, _ batches: [[String]], timestamp: Int64 = 1000) throws {
        for values in batches {
            append(try batchBytes(values, timestamp: timestamp), to: partition)
        }
    }

    func count(_ api: APIKey) -> Int { requests.count { $0.api == api } }
}

/// An encoded record batch with these values.
func batchBytes(
    _ values: [String], timestamp: Int64 = 1000, compression: Compression = .none, control: Bool = false
) throws -> [UInt8] {
    var builder = RecordBatchBuilder(pool: BufferPool(limit: 0))
    for (index, value) in values.enumerated() {
        try builder.append(key: nil, value: Array(value.utf8), timestamp: timestamp + Int64(index))
    }
    var batch = try builder.finish(compression: compression)
    var bytes = [UInt8](batch.stamp())
    if control { bytes[22] |= 0x20 }
    return withChecksum(bytes)
}

/// The batch with a recomputed checksum.
func withChecksum(_ batch: [UInt8]) -> [UInt8] {
    var batch = batch
    let crc = unsafe CRC32C.checksum(batch.span.bytes.extracting(RecordBatchHeader.checkedFrom...))
    for index in 0..<4 { batch[17 + index] = UInt8(truncatingIfNeeded: crc >> (24 - 8 * UInt32(index))) }
    return batch
}

/// A clock that advances only by sleeping, and records the sleeps.
final class ManualTiming: Sendable {
    private let state = Lock((now: ContinuousClock.now, slept: [Duration]()))

    /// - Parameter random: The constant random number, from 0 up to 1.
    func timing(random: Double = 0.5) -> Timing {
        Timing(
            now: { self.state.withLock { $0.now } },
            sleep: { duration in
                try Task.checkCancellation()
                self.state.withLock { state in
                    state.now += duration
                    state.slept.append(duration)
                }
                await Task.yield()
            },
            random: { random })
    }

    var slept: [Duration] { state.withLock { $0.slept } }

    func advance(_ duration: Duration) { state.withLock { $0.now += duration } }
}

/// Polls a condition that can't be awaited, such as the kernel's count of threads.
func eventually(
    _ what: Comment, within limit: Duration = .seconds(50), _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !condition() {
        try #require(ContinuousClock.now < deadline, what)
        try await Task.sleep(for: .milliseconds(2))
    }
}
