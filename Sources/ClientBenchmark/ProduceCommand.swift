import CommandLineSupport
import KafkaWire

/// Sends records of the plant's form to the partitions in turn, and waits until all are acknowledged.
enum ProduceCommand {
    static let command = Command(
        name: "produce", abstract: "sends records to a topic and awaits their acknowledgement",
        options: BenchmarkOptions.common, run: run)

    private static let key = Array("unit_collection_point".utf8)
    /// The unit's digits are overwritten for each record.
    private static let template =
        #"{"qls_unit_id":1000000,"unit_collection_pt_timestamp":"2014-12-31 23:59:58.0","collection_point_id":17}"#
    private static let digits = 15..<22

    private static func run(_ options: ParsedOptions) async throws {
        let topic = options[CommonOptions.topic]
        var result = Result(mode: "produce")
        do {
            let client = try KafkaClient(
                bootstrapServers: options[CommonOptions.bootstrapServers], properties: options.properties([:]))
            let producer = client.producer()
            let partitionCount = try await client.admin.describe(topics: [topic])[0].partitions.count
            var value = Array(template.utf8)
            var first: [Delivery] = []
            for number in 0..<options[BenchmarkOptions.records] {
                var rest = 1_000_000 + number % 9_000_000
                for digit in digits.reversed() {
                    value[digit] = UInt8(ascii: "0") + UInt8(rest % 10)
                    rest /= 10
                }
                while true {
                    // The bytes are copied before the call returns.
                    let delivery = try unsafe producer.tryEnqueue(
                        topic: topic, partition: Int32(number % partitionCount), key: key.span.bytes,
                        value: value.span.bytes)
                    if let delivery {
                        if delivery.isFirstOfBatch { first.append(delivery) }
                        break
                    }
                    try await producer.ready(for: topic)
                }
                result.records += 1
                result.bytes += key.count + value.count
            }
            await producer.flush()
            for delivery in first { _ = try await delivery.metadata }
            await producer.close()
            await client.close()
        } catch let error as KafkaError {
            throw Failure("\(error)", status: .unavailable)
        }
        try await result.report()
    }
}
