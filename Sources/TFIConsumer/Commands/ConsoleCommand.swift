import CommandLineSupport
import Foundation
import KafkaWire

/// `tfi-consumer console`: prints the topic's records as they arrive.
enum ConsoleCommand {
    static let command = Command(
        name: "console", abstract: "Prints the topic's records as they arrive.",
        discussion: [
            "Prints a line for each record: partition, offset, timestamp in milliseconds since 1970, key and value, "
                + "with tabs between them. A missing key or value is shown as a dash, invalid UTF-8 as U+FFFD, and "
                + "control characters as escapes such as \\x1b."
        ],
        options: ConsumerOptions.cluster + [ConsumerOptions.untilCaughtUp],
        statuses: [.success, .usage, .noInput, .unavailable, .configuration]
    ) { options in
        let topic = options[CommonOptions.topic]
        let stop = StopSignal.listening()
        let client = try await options.client()
        do {
            let untilCaughtUp = options[ConsumerOptions.untilCaughtUp]
            let (begin, ends) = try await client.firstStep {
                try await range(of: topic, client, untilCaughtUp: untilCaughtUp)
            }
            try await show(client, stop, from: begin, until: ends)
        } catch let error as KafkaError {
            throw Failure(error, topic: topic, bootstrapServers: client.servers)
        }
        await client.close()
    }

    /// The start of each partition, and its end at this moment; no ends unless the command stops at them.
    private static func range(
        of topic: String, _ client: KafkaClient, untilCaughtUp: Bool
    ) async throws -> (begin: [TopicPartition: Int64], ends: [TopicPartition: Int64]?) {
        let partitions = try await client.admin.describe(topics: [topic])[0].partitions.map {
            TopicPartition(topic: topic, partition: $0.partition)
        }
        let begin = try await offsets(
            partitions, client.configuration.consumer.offsetReset.place(now: .now) ?? .earliest, client)
        return (begin, untilCaughtUp ? try await offsets(partitions, .latest, client) : nil)
    }

    private static func show(
        _ client: KafkaClient, _ stop: StopSignal, from begin: [TopicPartition: Int64],
        until ends: [TopicPartition: Int64]?
    ) async throws {
        var left = ends?.filter { $0.value > begin[$0.key] ?? 0 }
        if left?.isEmpty == true { return }
        let consumer = client.consumer()
        await consumer.assign(begin.mapValues { ConsumerStart(.offset($0)) })
        let closing = Task {
            await stop.wait()
            await consumer.close()
        }
        defer { closing.cancel() }
        for try await batch in consumer {
            let partition = TopicPartition(topic: batch.topic, partition: batch.partition)
            try await Output.standard.write(lines(batch, before: ends?[partition]))
            if let end = left?[partition], batch.nextOffset >= end {
                left?[partition] = nil
                if left?.isEmpty == true { break }
            }
        }
        await consumer.close()
    }

    private static func offsets(
        _ partitions: [TopicPartition], _ spec: OffsetSpec, _ client: KafkaClient
    ) async throws -> [TopicPartition: Int64] {
        try await client.admin.listOffsets(Dictionary(uniqueKeysWithValues: partitions.map { ($0, spec) }))
            .mapValues(\.offset)
    }

    private static func lines(_ batch: RecordBatch, before end: Int64?) throws(KafkaError) -> [UInt8] {
        var text: [UInt8] = []
        var records = batch.makeIterator()
        while let record = try records.next() {
            if let end, record.offset >= end { break }
            text += Array("\(batch.partition)\t\(record.offset)\t\(record.timestamp)\t".utf8)
            text += shown(record.key)
            text.append(UInt8(ascii: "\t"))
            text += shown(record.value)
            text.append(UInt8(ascii: "\n"))
        }
        return text
    }

    private static func shown(_ bytes: RawSpan?) -> [UInt8] {
        guard let bytes else { return [UInt8(ascii: "-")] }
        // One line is one record, and a message must not control the terminal.
        return Array(ForeignText.visible(String(repairingUTF8: bytes)).utf8)
    }
}
