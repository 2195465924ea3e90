import CommandLineSupport
import Foundation
import KafkaWire

/// Sends numbered records at a steady rate, and reports when each was sent and acknowledged.
enum PaceCommand {
    private static let rate = Option(
        optional: "rate", .double(upTo: 1_000_000), placeholder: "R",
        help: "Records per second. Without it, as many as the broker accepts, and no times are written.")
    private static let first = Option(
        "first-partition", .int(0...10_000), default: 0, help: "The first partition to send to.")
    private static let partitions = Option(
        "partitions", .int(1...10_000), default: 1, help: "The number of partitions to send to, in turn.")

    static let command = Command(
        name: "pace", abstract: "sends records at a steady rate and reports when each was sent and acknowledged",
        discussion: [
            "A value is a JSON object with the record's number, n, and the time when it was sent, in microseconds "
                + "since 1970. Standard output has a line for each record: number, time of sending, time of "
                + "acknowledgement."
        ],
        options: BenchmarkOptions.common + [rate, first, partitions], run: run)

    private static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1e6) }

    private static func value(_ number: Int, _ time: Int64) -> [UInt8] {
        Array(
            #"{"n":\#(number),"sent":\#(time),"note":"a note that makes the record as long as those of a plant"}"#.utf8)
    }

    private static func run(_ options: ParsedOptions) async throws {
        let lines: [String]
        do {
            let client = try KafkaClient(
                bootstrapServers: options[CommonOptions.bootstrapServers], properties: options.properties([:]))
            let producer = client.producer()
            let topic = options[CommonOptions.topic]
            let count = options[BenchmarkOptions.records]
            let interval = options[rate].map { Duration.seconds(1 / $0) }
            let (first, partitions) = (options[first], options[partitions])
            let began = ContinuousClock.now
            lines = try await withThrowingTaskGroup(of: String.self) { group in
                for number in 0..<count {
                    if let interval { try await Task.sleep(until: began + interval * number, tolerance: .zero) }
                    let sent = now
                    let record = ProducerRecord(
                        topic: topic, partition: Int32(first + number % partitions), value: value(number, sent))
                    let delivery = try await producer.enqueue(record)
                    guard interval != nil else {
                        if delivery.isFirstOfBatch {
                            group.addTask {
                                _ = try await delivery.metadata
                                return ""
                            }
                        }
                        continue
                    }
                    group.addTask {
                        _ = try await delivery.metadata
                        return "\(number),\(sent),\(now)\n"
                    }
                }
                await producer.flush()
                return try await group.reduce(into: []) { $0.append($1) }
            }
            await producer.close()
            await client.close()
        } catch let error as KafkaError {
            throw Failure("\(error)", status: .unavailable)
        }
        try await Output.standard.write(Array(lines.joined().utf8))
    }
}
