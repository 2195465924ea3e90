// A group member that processes a topic until SIGINT or SIGTERM. Start it several times: the members share the topic's
// partitions, and rebalance them when a member joins or leaves.
//
//     swift run example-group-worker localhost:9092 TOPIC [name=value]...     such as group.protocol=consumer

import Dispatch
import Foundation
import KafkaWire

@main
struct GroupWorker {
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard arguments.count >= 2 else {
            print("usage: example-group-worker BOOTSTRAP-SERVERS TOPIC [name=value]...")
            exit(64)
        }
        var properties = ["group.id": "example", "auto.offset.reset": "earliest"]
        for argument in arguments.dropFirst(2) {
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            properties[parts[0]] = parts.count == 2 ? parts[1] : ""
        }
        let client = try KafkaClient(bootstrapServers: arguments.first ?? "", properties: properties)
        let consumer = client.consumer()
        try await consumer.subscribe(to: .topics([arguments.dropFirst().first ?? ""])) { rebalance in
            print("\(rebalance)")
        }

        // close() commits the processed records, leaves the group, and ends the loop below after the current batch,
        // which another member then reads again.
        let stop: @Sendable () -> Void = { Task { await consumer.close() } }
        let stopping = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler(handler: stop)
            source.resume()
            return source
        }
        defer { for source in stopping { source.cancel() } }

        for try await batch in consumer {
            // The records are views into the batch's memory: nothing is copied here.
            var records = batch.makeIterator()
            var bytes = 0
            while let record = try records.next() { bytes += record.value?.byteCount ?? 0 }
            print("\(batch.topic)-\(batch.partition) from \(batch.baseOffset): \(bytes) bytes")
        }
        await client.close()
    }
}
