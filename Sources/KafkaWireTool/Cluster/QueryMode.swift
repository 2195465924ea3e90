import CommandLineSupport
import KafkaWire

/// `-Q`: finds the first offset at or after a time, given as `TOPIC:PARTITION:MS`.
struct QueryMode {
    let options: MessageOptions
    let client: KafkaClient

    func run() async throws {
        var specs: [TopicPartition: OffsetSpec] = [:]
        var order: [TopicPartition] = []
        for text in options.topics {
            let (partition, spec) = try Self.parse(text)
            if specs.updateValue(spec, forKey: partition) == nil { order.append(partition) }
        }
        try await client.admin.requireExisting(order)
        let found = try await client.admin.listOffsets(specs)
        var text = ""
        for partition in order {
            guard let offset = found[partition]?.offset else { continue }
            text += "\(ForeignText.visible(partition.topic)) [\(partition.partition)] offset \(offset)\n"
        }
        try await Output.standard.write(text)
    }

    /// Reads `TOPIC:PARTITION:MS`. A time of -1 means the end, -2 the beginning.
    static func parse(_ text: String) throws(Failure) -> (TopicPartition, OffsetSpec) {
        guard let (partition, last) = PartitionText.parse(text), let time = Int64(last), time >= -2 else {
            throw Failure("-t expects TOPIC:PARTITION:MS with -Q", status: .usage)
        }
        let spec: OffsetSpec =
            switch time {
            case -1: .latest
            case -2: .earliest
            default: .timestamp(KafkaTimestamp(millisecondsSince1970: time))
            }
        return (partition, spec)
    }
}

/// Parses `TOPIC:PARTITION` and `TOPIC:PARTITION:REST`.
enum PartitionText {
    /// Parses `TOPIC:PARTITION:REST`; nil if the text does not have that form.
    static func parse(_ text: String) -> (TopicPartition, rest: String)? {
        let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[0].isEmpty, let number = Int32(parts[1]), number >= 0 else { return nil }
        return (TopicPartition(topic: String(parts[0]), partition: number), String(parts[2]))
    }

    /// Parses `TOPIC:PARTITION`; nil if the text does not have that form.
    static func parsePartition(_ text: String) -> TopicPartition? {
        parse(text + ":").flatMap { $0.rest.isEmpty ? $0.0 : nil }
    }
}
