/// Settings by Kafka's names as text, taken out one by one as they are understood; what is left at the end is an error.
struct PropertyList {
    private var values: [String: String]
    private var known: [String] = []

    init(_ properties: [String: String]) {
        values = properties
    }

    private mutating func take<Value>(
        _ name: String, expected: String, _ parse: (String) -> Value?
    ) throws(KafkaError) -> Value? {
        known.append(name)
        guard let text = values.removeValue(forKey: name) else { return nil }
        guard let value = parse(text) else {
            throw KafkaError(.invalidConfig, "the property \(name) is '\(text)'; \(expected) is expected")
        }
        return value
    }

    mutating func set(_ target: inout Int, _ name: String, in range: ClosedRange<Int>) throws(KafkaError) {
        let expected =
            range.upperBound == .max
            ? "a whole number from \(range.lowerBound)"
            : "a whole number from \(range.lowerBound) to \(range.upperBound)"
        let value = try take(name, expected: expected) { text in Int(text).flatMap { range.contains($0) ? $0 : nil } }
        if let value { target = value }
    }

    mutating func set(_ target: inout Int?, _ name: String, in range: ClosedRange<Int>) throws(KafkaError) {
        var value = target ?? range.lowerBound
        let isGiven = values[name] != nil
        try set(&value, name, in: range)
        if isGiven { target = value }
    }

    /// A duration that Kafka has in milliseconds.
    mutating func set(_ target: inout Duration, _ name: String, atLeast minimum: Int = 0) throws(KafkaError) {
        var milliseconds = Int(target / .milliseconds(1))
        try set(&milliseconds, name, in: minimum...Int(Int32.max))
        target = .milliseconds(milliseconds)
    }

    mutating func set(_ target: inout Bool, _ name: String) throws(KafkaError) {
        if let value = try take(name, expected: "true or false", { Bool($0) }) { target = value }
    }

    mutating func set(_ target: inout Bool?, _ name: String) throws(KafkaError) {
        if let value = try take(name, expected: "true or false", { Bool($0) }) { target = value }
    }

    mutating func set(_ target: inout String, _ name: String) throws(KafkaError) {
        if let value = try take(name, expected: "a text", { $0 }) { target = value }
    }

    mutating func set<Value>(_ target: inout Value, _ name: String, from names: KeyValuePairs<String, Value>)
        throws(KafkaError)
    {
        let expected = "one of " + names.map(\.key).joined(separator: ", ")
        let value = try take(name, expected: expected) { text in names.first { $0.key == text.lowercased() }?.value }
        if let value { target = value }
    }

    /// Ends the taking: a name that nobody asked for is an error, with the nearest right one.
    func finish() throws(KafkaError) {
        guard let name = values.keys.min() else { return }
        let nearest = known.min { distance($0, name) < distance($1, name) }
        let hint = nearest.flatMap { distance($0, name) <= 6 ? "; did you mean \($0)?" : nil } ?? ""
        throw KafkaError(.invalidConfig, "there is no property \(name)\(hint)")
    }

    /// How many letters have to be put in, taken out or changed to make one text of the other (Levenshtein).
    private func distance(_ left: String, _ right: String) -> Int {
        let right = Array(right.utf8)
        var row = Array(0...right.count)
        for (i, byte) in left.utf8.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for j in right.indices {
                let replaced = diagonal + (byte == right[j] ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[right.count]
    }
}
