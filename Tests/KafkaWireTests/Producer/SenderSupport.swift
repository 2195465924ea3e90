import Concurrency
import KafkaFake
import Testing

@testable import KafkaWire

/// The real clock with an offset, which a test can advance.
final class ShiftedClock: Sendable {
    private let offset = Lock(Duration.seconds(-3600))

    var timing: Timing { Timing(now: { .now + self.offset.withLock { $0 } }) }

    func advance(_ duration: Duration) { offset.withLock { $0 += duration } }
}

/// Runs a test with a sender without its producer, and stops it.
///
/// - Parameter prepare: Changes the accumulator before the sender begins.
func withSender<Prepared: Sendable>(
    _ cluster: Cluster, prepare: (Accumulator) throws -> Prepared,
    _ body: (Accumulator, Prepared) async throws -> Void
) async throws {
    let accumulator = Accumulator(
        configuration: cluster.configuration.producer, pool: cluster.pool, timing: cluster.timing)
    let prepared = try prepare(accumulator)
    let sender = ProducerSender(cluster: cluster, accumulator: accumulator, transactions: nil)
    let running = Task { await sender.run() }
    let reason = KafkaError(.networkException, "the test is over")
    do {
        try await body(accumulator, prepared)
        await sender.stop(reason)
        await running.value
    } catch {
        await sender.stop(reason)
        await running.value
        throw error
    }
}

extension Accumulator {
    struct NotAppended: Error {}

    /// Appends a record whose value has this many bytes.
    @discardableResult
    func append(_ count: Int, to partition: TopicPartition) throws -> Delivery {
        let value = [UInt8](repeating: 1, count: count)
        let appended = try unsafe append(
            topic: partition.topic, partition: partition.partition, key: nil, value: value.span.bytes, headers: [],
            timestamp: 0)
        guard case .appended(let delivery) = appended else { throw NotAppended() }
        return delivery
    }
}

extension FakeCluster {
    /// The values that a consumer with `read_committed` reads.
    func committedValues(of partition: TopicPartition) throws -> [String] {
        var transactions: [Int64: [String]] = [:]
        var seen: [String] = []
        for bytes in batches(of: partition) {
            var reader = RecordBatchReader(
                topic: partition.topic, partition: partition.partition, records: bytes, from: 0,
                maximumInflatedBytes: 1 << 20, pool: BufferPool(limit: 0))
            guard let batch = try reader.next() else { continue }
            if let type = try batch.controlRecordType() {
                let values = transactions.removeValue(forKey: batch.producerID) ?? []
                if type == .commit { seen += values }
            } else {
                #expect(batch.isTransactional)
                transactions[batch.producerID, default: []] += try batch.readRecords().map(\.value)
            }
        }
        return seen
    }
}
