import KafkaWire
import TestSupport

/// A copy of a record that was read.
struct ReadRecord: Sendable, Equatable {
    let partition: Int32
    let offset: Int64
    let timestamp: KafkaTimestamp
    let key: [UInt8]?
    let value: [UInt8]?
    let headers: [RecordHeader]

    /// The value as text; empty for null.
    var text: String { String(decoding: value ?? [], as: UTF8.self) }
}

extension RawSpan {
    var array: [UInt8] { unsafe withUnsafeBytes { unsafe Array($0) } }
}

extension RecordBatch {
    /// Copies of the batch's records.
    func copies() throws -> [ReadRecord] {
        var copies: [ReadRecord] = []
        var records = makeIterator()
        while let record = try records.next() {
            copies.append(
                ReadRecord(
                    partition: partition, offset: record.offset, timestamp: record.timestamp, key: record.key?.array,
                    value: record.value?.array, headers: [RecordHeader](record.headers)))
        }
        return copies
    }
}

/// Reads a consumer in steps with a time limit.
struct Reading {
    let consumer: KafkaConsumer
    private var iterator: KafkaConsumer.Iterator
    /// The number of batches so far, including those without records.
    private(set) var batchCount = 0

    init(_ consumer: KafkaConsumer) {
        self.consumer = consumer
        iterator = consumer.makeAsyncIterator()
    }

    /// Reads the next batch.
    ///
    /// - Throws: `ProgramError` if no batch arrives in time, and the consumer's errors.
    mutating func batch(within limit: Duration = .seconds(30)) async throws -> RecordBatch {
        guard case .batch(let batch) = try await iterator.next(timeout: limit) else {
            throw ProgramError("no batch within \(limit), at \(consumer.positions)")
        }
        batchCount += 1
        return batch
    }

    /// Polls the consumer for some time, in which no batch may arrive.
    mutating func expectNothing(within limit: Duration) async throws {
        if case .batch(let batch) = try await iterator.next(timeout: limit) {
            throw ProgramError("there is a batch at offset \(batch.baseOffset)")
        }
    }

    /// Reads until there are `count` records, and returns them in order of arrival.
    mutating func records(_ count: Int, within limit: Duration = .seconds(30)) async throws -> [ReadRecord] {
        let deadline = ContinuousClock.now + limit
        var records: [ReadRecord] = []
        while records.count < count {
            do {
                records += try await batch(within: deadline - .now).copies()
            } catch let error as ProgramError {
                throw ProgramError("\(records.count) records of \(count): \(error)")
            }
        }
        return records
    }

    /// Reads until every partition's position is the end of its log at the time of the call.
    mutating func recordsToTheEnd(
        of partitions: [TopicPartition], client: KafkaClient, within limit: Duration = .seconds(60)
    ) async throws -> [ReadRecord] {
        let deadline = ContinuousClock.now + limit
        let ends = try await client.admin.listOffsets(
            Dictionary(uniqueKeysWithValues: partitions.map { ($0, .latest) }))
        var records: [ReadRecord] = []
        func isAtEnd() -> Bool {
            let positions = consumer.positions
            return ends.allSatisfy { positions[$0.key].map { $0 >= 0 } ?? false }
                && ends.allSatisfy { (positions[$0.key] ?? -1) >= $0.value.offset }
        }
        while !isAtEnd() {
            // If a partition ends where reading begins, there is no batch.
            guard case .batch(let batch) = try await iterator.next(timeout: .milliseconds(200)) else {
                guard ContinuousClock.now < deadline else {
                    throw ProgramError("\(records.count) records after \(limit), at \(consumer.positions) of \(ends)")
                }
                continue
            }
            batchCount += 1
            records += try batch.copies()
        }
        return records
    }
}

extension KafkaClient {
    /// Reads partitions with a new consumer.
    func read(_ starts: [TopicPartition: OffsetSpec]) async -> Reading {
        let consumer = consumer()
        await consumer.assign(starts.mapValues { ConsumerStart($0) })
        return Reading(consumer)
    }
}
