import CommandLineSupport
import IngestEngine
import KafkaWire

/// A sample of a topic's records, copied.
enum TopicSample {
    /// The part of the topic to read.
    enum Place: String, Sendable, CaseIterable {
        /// The last records.
        case newest
        /// The first records of the log.
        case beginning
        /// Records that arrive from now on.
        case next
    }

    /// Reads records without a group, so that nothing is committed.
    ///
    /// Records of a partition stay in order. With `newest`, all partitions contribute evenly as far as they have
    /// records.
    ///
    /// - Parameter count: The largest number of records. With `next`, waits for that many, or until the program is
    ///   stopped.
    static func read(
        _ topic: String, count: Int, from place: Place, _ client: KafkaClient, _ stop: StopSignal
    ) async throws -> [CheckedRecord] {
        let logs = try await client.firstStep { try await ranges(of: topic, client) }
        switch place {
        case .next:
            return try await read(logs.mapValues { $0.upperBound..<Int64.max }, atMost: count, client, stop)
        case .beginning:
            // Read until there are enough: some offsets have no record.
            return try await read(logs.filter { !$0.value.isEmpty }, atMost: count, client, stop)
        case .newest: return try await newest(logs, count: count, client, stop)
        }
    }

    /// Reads the last records. If few of the last offsets have one, reads further back: offsets of transaction markers
    /// and of compacted records have none.
    private static func newest(
        _ logs: [TopicPartition: Range<Int64>], count: Int, _ client: KafkaClient, _ stop: StopSignal
    ) async throws -> [CheckedRecord] {
        var records: [CheckedRecord] = []
        var wanted = Int64(count)
        let sizes = logs.mapValues { Int64($0.count) }
        for _ in 0..<4 {
            let shares = shares(of: wanted, sizes).filter { $0.value > 0 }
            var ranges: [TopicPartition: Range<Int64>] = [:]
            for (partition, share) in shares {
                if let log = logs[partition] { ranges[partition] = log.upperBound - share..<log.upperBound }
            }
            records = try await read(ranges, atMost: .max, client, stop)
            if records.count * 2 >= count || shares == sizes.filter({ $0.value > 0 }) || stop.isRequested { break }
            wanted *= 8
        }
        return last(count, of: records)
    }

    /// The last records, evenly from all partitions.
    private static func last(_ count: Int, of records: [CheckedRecord]) -> [CheckedRecord] {
        guard records.count > count else { return records }
        let partitions = Dictionary(grouping: records) { TopicPartition(topic: $0.topic, partition: $0.partition) }
        let shares = shares(of: Int64(count), partitions.mapValues { Int64($0.count) })
        return partitions.sorted { $0.key < $1.key }.flatMap { $0.value.suffix(Int(shares[$0.key] ?? 0)) }
    }

    /// The offsets of each partition's log.
    private static func ranges(of topic: String, _ client: KafkaClient) async throws -> [TopicPartition: Range<Int64>] {
        let partitions = try await client.admin.describe(topics: [topic])[0].partitions.map {
            TopicPartition(topic: topic, partition: $0.partition)
        }
        func offsets(_ spec: OffsetSpec) async throws -> [TopicPartition: ListedOffset] {
            try await client.admin.listOffsets(Dictionary(uniqueKeysWithValues: partitions.map { ($0, spec) }))
        }
        let (begins, ends) = (try await offsets(.earliest), try await offsets(.latest))
        var ranges: [TopicPartition: Range<Int64>] = [:]
        for (partition, end) in ends {
            // The offsets come from the broker: without the check, an end before the start would trap.
            let begin = max(0, begins[partition]?.offset ?? 0)
            ranges[partition] = begin..<max(begin, end.offset)
        }
        return ranges
    }

    /// Divides a number evenly among the partitions, but gives none more than its size.
    static func shares(of count: Int64, _ sizes: [TopicPartition: Int64]) -> [TopicPartition: Int64] {
        var left = count
        var shares: [TopicPartition: Int64] = [:]
        // The smallest first, so that the others share what these do not use.
        let order = sizes.sorted { ($0.value, $0.key) < ($1.value, $1.key) }
        for (index, (partition, size)) in order.enumerated() {
            let open = Int64(order.count - index)
            let share = min(size, (left + open - 1) / open)
            shares[partition] = share
            left -= share
        }
        return shares
    }

    private static func read(
        _ ranges: [TopicPartition: Range<Int64>], atMost count: Int, _ client: KafkaClient, _ stop: StopSignal
    ) async throws -> [CheckedRecord] {
        guard !ranges.isEmpty else { return [] }
        let consumer = client.consumer()
        await consumer.assign(ranges.mapValues { ConsumerStart(.offset($0.lowerBound)) })
        let closing = Task {
            await stop.wait()
            await consumer.close()
        }
        defer { closing.cancel() }
        var records: [CheckedRecord] = []
        var pending = ranges
        for try await batch in consumer {
            let partition = TopicPartition(topic: batch.topic, partition: batch.partition)
            guard let range = pending[partition] else { continue }
            records += try copies(of: batch, before: range.upperBound)
            if batch.nextOffset >= range.upperBound { pending[partition] = nil }
            if pending.isEmpty || records.count >= count { break }
        }
        await consumer.close()
        return Array(records.prefix(count))
    }

    private static func copies(of batch: RecordBatch, before end: Int64) throws(KafkaError) -> [CheckedRecord] {
        var copies: [CheckedRecord] = []
        var records = batch.makeIterator()
        while let record = try records.next() {
            if record.offset >= end { break }
            copies.append(
                CheckedRecord(
                    topic: batch.topic, partition: batch.partition, offset: record.offset,
                    timestamp: record.timestamp.isKnown ? record.timestamp.millisecondsSince1970 : nil,
                    key: bytes(record.key),
                    value: bytes(record.value), headers: [RecordHeader](record.headers)))
        }
        return copies
    }

    private static func bytes(_ span: RawSpan?) -> [UInt8]? {
        guard let span else { return nil }
        return Array(span)
    }
}
