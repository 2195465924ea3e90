// Copies a topic to another one in transactions: consumers with isolation.level=read_committed get each record exactly
// once, whatever fails. Ends on SIGINT or SIGTERM.
//
//     swift run example-exactly-once localhost:9092 FROM TO

import Dispatch
import Foundation
import KafkaWire

@main
struct ExactlyOnce {
    static func main() async throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        guard arguments.count == 3 else {
            print("usage: example-exactly-once BOOTSTRAP-SERVERS FROM TO")
            exit(64)
        }
        let client = try KafkaClient(
            bootstrapServers: arguments[0],
            properties: [
                "group.id": "example-copy", "auto.offset.reset": "earliest", "isolation.level": "read_committed",
                "enable.auto.commit": "false",
                // A name that only this instance uses, and that stays the same when the program restarts.
                "transactional.id": "example-copy-1",
            ])
        let consumer = client.consumer()
        let producer = client.producer()
        try await consumer.subscribe(to: .topics([arguments[1]]))

        let copying = Task {
            for try await batch in consumer {
                // If a stop was requested, do not begin this batch; the one before is committed.
                try Task.checkCancellation()
                try await carryOver(batch, to: arguments[2], consumer, producer)
                print("\(batch.topic)-\(batch.partition): up to \(batch.nextOffset)")
            }
        }
        let stop: @Sendable () -> Void = { copying.cancel() }
        let stopping = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler(handler: stop)
            source.resume()
            return source
        }
        defer { for source in stopping { source.cancel() } }

        // Only after the current transaction has ended: a closed consumer is no longer a member of its group, and the
        // coordinator would refuse its offsets.
        let outcome = await copying.result
        await consumer.close()
        await producer.close()
        await client.close()
        do {
            // A failure ends the program: the next run continues after the last committed transaction.
            try outcome.get()
        } catch is CancellationError {
            // Expected: a stop was requested.
        }
    }

    /// Copies a batch in its own transaction.
    private static func carryOver(
        _ batch: RecordBatch, to topic: String, _ consumer: KafkaConsumer, _ producer: KafkaProducer
    ) async throws {
        var copies: [ConsumerRecord] = []
        var records = batch.makeIterator()
        while let record = try records.next() { copies.append(ConsumerRecord(record, of: batch)) }
        try await producer.withTransaction { [copies] transaction in
            for record in copies {
                try await transaction.enqueue(
                    ProducerRecord(
                        topic: topic, key: record.key, value: record.value,
                        headers: record.headers))
            }
            // Read this last: a rebalance that leaves the partition here may have changed the generation.
            guard let group = consumer.groupMetadata else {
                throw KafkaError(.invalidGroupId, "group.id isn't set")
            }
            // Offsets and records are committed together, or not at all.
            try await transaction.sendOffsets([batch.topicPartition: batch.nextOffsetAndMetadata], group: group)
        }
    }
}
