import CommandLineSupport
import KafkaWire

/// Reads all partitions of a topic from the beginning.
enum FetchCommand {
    static let command = Command(
        name: "fetch", abstract: "reads a topic from the beginning",
        options: BenchmarkOptions.common + [BenchmarkOptions.decode, BenchmarkOptions.byRecord],
        run: run)

    private static func run(_ options: ParsedOptions) async throws {
        let decodes = options[BenchmarkOptions.decode]
        let wanted = options[BenchmarkOptions.records]
        let byRecord = options[BenchmarkOptions.byRecord]
        guard !decodes || !byRecord else {
            throw Failure("--decode and --by-record exclude each other", status: .usage)
        }
        var result = Result(mode: decodes ? "decode" : byRecord ? "records" : "count")
        do {
            let client = try KafkaClient(
                bootstrapServers: options[CommonOptions.bootstrapServers],
                properties: options.properties(["auto.offset.reset": "none"]))
            let topic = options[CommonOptions.topic]
            let partitions = try await client.admin.describe(topics: [topic])[0].partitions
            let consumer = client.consumer()
            await consumer.assign(
                Dictionary(
                    uniqueKeysWithValues: partitions.map {
                        (TopicPartition(topic: topic, partition: $0.partition), ConsumerStart(.earliest))
                    }))
            if byRecord {
                for try await record in consumer.records {
                    result.records += 1
                    result.bytes += (record.key?.count ?? 0) + (record.value?.count ?? 0)
                    if result.records >= wanted { break }
                }
            } else {
                for try await batch in consumer {
                    if decodes {
                        try decode(batch, into: &result)
                    } else {
                        try count(batch, into: &result)
                    }
                    if result.records >= wanted { break }
                }
            }
            await consumer.close()
            await client.close()
        } catch let error as KafkaError {
            throw Failure("\(error)", status: .unavailable)
        }
        try await result.report()
    }

    private static func count(_ batch: RecordBatch, into result: inout Result) throws(KafkaError) {
        var (count, bytes) = (0, 0)
        var records = batch.makeIterator()
        while let record = try records.next() {
            count += 1
            bytes += (record.key?.byteCount ?? 0) + (record.value?.byteCount ?? 0)
        }
        result.records += count
        result.bytes += bytes
    }

    private static func decode(_ batch: RecordBatch, into result: inout Result) throws(KafkaError) {
        var (count, bytes) = (0, 0)
        var digest: UInt64 = 0
        var records = batch.makeIterator()
        while let record = try records.next() {
            count += 1
            guard let value = record.value else { continue }
            bytes += (record.key?.byteCount ?? 0) + value.byteCount
            digest &+= FlatObject.digest(value)
        }
        result.records += count
        result.bytes += bytes
        result.digest &+= digest
    }
}
