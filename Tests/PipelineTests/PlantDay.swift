import Foundation
import KafkaWire

/// A day of the plant from two CSV files.
struct PlantDay {
    /// Keys and values in timestamp order.
    let messages: [(key: String, value: String)]
    let passages: Int
    let concerns: Int

    init(folder: URL) throws {
        let passages = try Self.rows(folder.appending(path: "unit_collection_point.csv"))
        let concerns = try Self.rows(folder.appending(path: "unit_concern.csv"))
        self.passages = passages.count
        self.concerns = concerns.count
        let all = passages.map { ("unit_collection_point", $0) } + concerns.map { ("unit_concern", $0) }
        messages = all.sorted { $0.1.time < $1.1.time }.map { (key: $0.0, value: $0.1.json) }
    }

    private struct Row {
        let time: String
        let json: String
    }

    private static func rows(_ file: URL) throws -> [Row] {
        let lines = try String(contentsOf: file, encoding: .utf8).split(whereSeparator: \.isNewline)
        let names = lines[0].split(separator: ",")
        return lines.dropFirst().map { line in
            let values = line.split(separator: ",", omittingEmptySubsequences: false)
            let members = zip(names, values).map { name, value in
                "\"\(name)\":" + (name.hasSuffix("timestamp") ? "\"\(value)\"" : String(value))
            }
            return Row(time: String(values[1]), json: "{" + members.joined(separator: ",") + "}")
        }
    }

    func records(topic: String, partitions: Int32) -> [ProducerRecord] {
        messages.enumerated().map { index, message in
            ProducerRecord(
                topic: topic, partition: Int32(index % Int(partitions)), key: Array(message.key.utf8),
                value: Array(message.value.utf8))
        }
    }
}
