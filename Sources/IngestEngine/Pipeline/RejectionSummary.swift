/// Counts rejected records by the kind of their reason.
///
/// Two reasons are of one kind if they differ only in numbers and in what is quoted from the message.
struct RejectionSummary: Sendable {
    struct Entry: Sendable, Equatable {
        var count: Int
        /// The first record of this kind, with its reason.
        var example: String
    }

    /// Messages can bring any number of different texts: from so many kinds on, the others are counted together.
    private static let mostKinds = 50
    private static let others = "other reasons"

    private(set) var entries: [String: Entry] = [:]
    /// The reason of the last record.
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
        let key = entries[kind] == nil && entries.count >= Self.mostKinds ? Self.others : kind
        entries[key, default: Entry(count: 0, example: entry.example)].count += entry.count
    }

    mutating func removeAll() {
        if !entries.isEmpty { entries.removeAll() }
        last = ""
    }

    /// The reason without what differs from record to record: numbers, and what stands in single quotes.
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
