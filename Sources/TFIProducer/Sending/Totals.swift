import CommandLineSupport

/// The totals of a command, for people and for programs.
struct Totals: Sendable {
    var passages: Int
    var concerns: Int
    /// The bytes of the values.
    var bytes: Int
    var seconds: Double
    var usage: ResourceUsage

    var records: Int { passages + concerns }
    var recordsPerSecond: Double { seconds > 0 ? Double(records) / seconds : 0 }

    var line: String {
        "\(Numbers.grouped(records)) messages (\(Numbers.grouped(passages)) \(PlantMessage.Kind.passage.key), "
            + "\(Numbers.grouped(concerns)) \(PlantMessage.Kind.concern.key)), \(Numbers.bytes(bytes)) "
            + "in \(Numbers.seconds(seconds)): \(Numbers.rate(recordsPerSecond))"
    }

    var summary: JSONValue {
        [
            "records": .integer(records),
            "records_by_key": .object([
                JSONValue.Member(PlantMessage.Kind.passage.key, .integer(passages)),
                JSONValue.Member(PlantMessage.Kind.concern.key, .integer(concerns)),
            ]),
            "bytes": .integer(bytes),
            "seconds": .rounded(seconds, decimals: 3),
            "records_per_second": .rounded(recordsPerSecond, decimals: 1),
            "cpu_seconds": .rounded(usage.userSeconds + usage.systemSeconds, decimals: 3),
            "max_rss_mb": .rounded(usage.maxResidentMB, decimals: 1),
        ]
    }
}
