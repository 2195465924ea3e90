import CommandLineSupport
import KafkaWire

/// `kafkawire records …`
enum RecordCommands {
    static let area = AdminArea(
        name: "records", abstract: "deletes records, and shows where partitions begin and end",
        commands: [
            AdminCommand(
                "delete", "TOPIC:PARTITION:PLACE…",
                "deletes the records before a PLACE: an offset, end (deletes all records) or @MS", run: delete),
            AdminCommand(
                "offsets", "TOPIC…", "shows each partition's first offset, end and count; -J as JSON", run: offsets),
        ])

    private static func delete(_ call: AdminCall) async throws {
        let specs = try GroupCommands.places(call, from: 0)
        // DeleteRecords accepts -1 for the end, which the leader resolves. A time must be resolved to an offset first.
        let times = specs.filter { if case .timestamp = $0.value { true } else { false } }
        try await call.admin.requireExisting(times.keys)
        let timed = try await call.admin.listOffsets(times)
        let bounds: [TopicPartition: Int64] = specs.reduce(into: [:]) { bounds, entry in
            switch entry.value {
            case .earliest: bounds[entry.key] = 0
            case .latest: bounds[entry.key] = -1
            case .offset(let offset): bounds[entry.key] = offset
            case .timestamp: bounds[entry.key] = timed[entry.key]?.offset
            // `GroupCommands.places` makes no others.
            @unknown default: break
            }
        }
        let outcomes = try await call.admin.deleteRecords(before: bounds)
        try await call.report(outcomes) { partition, first in ["\(partition) begins at \(first)"] }
    }

    private static func offsets(_ call: AdminCall) async throws {
        let topics = try await call.admin.describe(topics: try call.topics())
        let partitions = topics.flatMap { topic in
            topic.partitions.map { TopicPartition(topic: topic.name, partition: $0.partition) }
        }
        func ask(_ spec: OffsetSpec) async throws -> [TopicPartition: ListedOffset] {
            try await call.admin.listOffsets(Dictionary(partitions.map { ($0, spec) }) { $1 })
        }
        let (first, end) = (try await ask(.earliest), try await ask(.latest))
        var table = TextTable(["TOPIC", "PARTITION", "FIRST", "END", "COUNT"])
        var json: [JSONValue] = []
        for partition in partitions {
            guard let first = first[partition]?.offset, let end = end[partition]?.offset else { continue }
            let count = Numbers.distance(from: first, to: end)
            table.add([partition.topic, "\(partition.partition)", "\(first)", "\(end)", "\(count)"])
            json.append([
                "topic": .string(partition.topic), "partition": .integer(Int(partition.partition)),
                "first": .integer(Int(first)), "end": .integer(Int(end)),
            ])
        }
        if call.isJSON { try await call.write(.array(json)) } else { try await call.write(table.lines) }
    }
}
