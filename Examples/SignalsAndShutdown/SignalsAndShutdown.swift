// A group member that SIGTERM ends between two records: it commits what is processed, closes, and exits in bounded time.
//
//     swift run example-signals-and-shutdown localhost:9092 TOPIC [MILLISECONDS-PER-RECORD]

import Dispatch
import Foundation
import KafkaWire
import Synchronization

@main
struct SignalsAndShutdown {
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard let servers = arguments.first, let topic = arguments.dropFirst().first else {
            print("usage: example-signals-and-shutdown BOOTSTRAP-SERVERS TOPIC [MILLISECONDS-PER-RECORD]")
            exit(64)
        }
        let work = Duration.milliseconds(arguments.dropFirst(2).first.flatMap(Int.init) ?? 0)
        let client = try KafkaClient(
            bootstrapServers: servers,
            properties: [
                // The loop below commits: after each batch, and within one if it has to stop there.
                "group.id": "signals", "enable.auto.commit": "false", "auto.offset.reset": "earliest",
            ])
        let consumer = client.consumer()
        let shutdown = Shutdown(within: .seconds(20)) { consumer.wakeUp() }
        try await consumer.subscribe(to: .topics([topic]))
        try await process(consumer, until: shutdown) { record in
            FileHandle.standardOutput.write(Data("\(record.topicPartition) \(record.offset)\n".utf8))
            try await Task.sleep(for: work)
        }
        // Leaves the group, so that the others get its partitions at once.
        let report = await consumer.close(within: .seconds(10))
        await client.close()
        guard report.isComplete else {
            FileHandle.standardError.write(Data("closed with errors: \(report)\n".utf8))
            exit(1)
        }
    }

    /// Processes records until the shutdown is requested. A record that is being processed is finished.
    private static func process(
        _ consumer: KafkaConsumer, until shutdown: Shutdown, _ handle: @Sendable (ConsumerRecord) async throws -> Void
    ) async throws {
        var batches = consumer.makeAsyncIterator()
        while !shutdown.isRequested {
            // Unlike next(), a next(timeout:) is ended by wakeUp(), and no work has to be cancelled.
            guard case .batch(let batch) = try await batches.next(timeout: .seconds(60)) else { continue }
            var last: ConsumerRecord?
            for record in try records(of: batch) {
                if shutdown.isRequested { break }
                try await handle(record)
                last = record
            }
            if let last { try await consumer.commit(after: last) }
        }
    }

    /// Copies the records, since a view of a record cannot be kept across an `await`.
    private static func records(of batch: RecordBatch) throws -> [ConsumerRecord] {
        var copies: [ConsumerRecord] = []
        var records = batch.makeIterator()
        while let record = try records.next() { copies.append(ConsumerRecord(record, of: batch)) }
        return copies
    }
}

/// Watches for SIGTERM and SIGINT. The first one requests the shutdown; a second one ends the process at once.
final class Shutdown: Sendable {
    private let requested = Atomic(false)

    var isRequested: Bool { requested.load(ordering: .acquiring) }

    /// - Parameters:
    ///   - limit: The longest time from the first signal to the end of the process. Choose less than Kubernetes'
    ///     `terminationGracePeriodSeconds`, after which SIGKILL follows.
    ///   - onRequest: Called once, on a thread of Dispatch.
    init(within limit: Duration, onRequest: @escaping @Sendable () -> Void) {
        for number in [SIGTERM, SIGINT] {
            // Otherwise the signal would still end the process.
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            // The handler keeps the source, and this object, for as long as the process runs.
            source.setEventHandler {
                withExtendedLifetime(source) { self.request(within: limit, onRequest) }
            }
            source.resume()
        }
    }

    private func request(within limit: Duration, _ onRequest: () -> Void) {
        guard !requested.exchange(true, ordering: .acquiringAndReleasing) else { exit(1) }
        Task {
            try await Task.sleep(for: limit)
            FileHandle.standardError.write(Data("not closed within \(limit)\n".utf8))
            exit(1)
        }
        onRequest()
    }
}
