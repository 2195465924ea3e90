/// Counts rejected records by kind of reason.
///
/// Two reasons are of the same kind if they differ only in numbers and quoted text from the message.
struct RejectionSummary: Sendable {
    struct Entry: Sendable, Equatable {
        var count: Int
        /// The reason and position of the first record of this kind.
        var example: String
    }

    /// The most kinds, since messages can cause any number of them. Further kinds are counted together.
    private static let maximumKinds = 50
    private static let others = "other reasons"

    private(set) var entries: [String: Entry] = [:]
    /// The reason of the most recent rejection.
    private(set) var last = ""

    var isEmpty: Bool { entries.isEmpty }

    mutating func add(_ reason: String, topic: String, partition: Int32, offset: Int64) {
        last = reason
        let kind = Self.kind(of: reason)
        add(Entry(count: 1, example: "partition \(partition), offset \(offset) of topic \(topic): \(reason)"), of: kind)
    }

    mutating func add(_ other: RejectionSummary) {
        for (kind, entry) in other.entries { add(entry, of: kind) }
        if !other.last.isEmpty { last = other.last }
    }

    private mutating func add(_ entry: Entry, of kind: String) {
        let key = entries[kind] == nil && entries.count >= Self.maximumKinds ? Self.others : kind
        entries[key, default: Entry(count: 0, example: entry.example)].count += entry.count
    }

    mutating func removeAll() {
        if !entries.isEmpty { entries.removeAll() }
        last = ""
    }

    /// The reason without parts that vary between records: numbers, and text in single quotes.
    static func kind(of reason: String) -> String {
        let reason = MappingCheck.kind(of: reason)
        var kind = ""
        var isQuoted = false
        var isNumber = false
        for scalar in reason.unicodeScalars {
            if scalar == "'" { isQuoted.toggle() }
            let isDigit = ("0"..."9").contains(scalar)
            defer { isNumber = isDigit }
            if isQuoted && scalar != "'" || isDigit && isNumber { continue }
            kind.unicodeScalars.append(isDigit ? "#" : scalar)
        }
        return kind
    }
}
