// Copies a topic into another one in transactions: each record arrives exactly once, whatever fails on the way, for
// those who read with isolation.level=read_committed. Ends on SIGINT or SIGTERM.
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
                // A name of this instance's own: it stays the same when the program starts again.
                "transactional.id": "example-copy-1",
            ])
        let consumer = client.consumer()
        let producer = client.producer()
        try await consumer.subscribe(to: .topics([arguments[1]]))

        let copying = Task {
            for try await batch in consumer {
                // Where the end was asked for, this batch isn't begun: the one before is committed.
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

        // Only when the transaction under way has ended: a consumer that is closed is no member of its group any more,
        // and its offsets are refused.
        let outcome = await copying.result
        await consumer.close()
        await producer.close()
        await client.close()
        do {
            // What fails ends the program: the next run begins where the last transaction was committed.
            try outcome.get()
        } catch is CancellationError {
            // As it was asked for.
        }
    }

    /// Copies a batch in a transaction of its own.
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
            // Asked for last: a rebalance that leaves the partition here may have brought another generation meanwhile.
            guard let group = consumer.groupMetadata else {
                throw KafkaError(.invalidGroupId, "group.id isn't set")
            }
            // Offsets and records are committed together, or neither is.
            try await transaction.sendOffsets([batch.topicPartition: batch.nextOffsetAndMetadata], group: group)
        }
    }
}
