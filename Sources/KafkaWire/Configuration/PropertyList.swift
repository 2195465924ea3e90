/// Settings as text by their names in Kafka. They are taken out one by one; a setting that is left at the end is unknown.
///
/// `set` checks the range also if the setting is not in the list. So reading an empty list validates settings that were
/// given as typed values, by the same rules.
struct PropertyList {
    private struct Setting {
        let text: String
        /// File and line, for the beginning of an error; nil if a program or a command line gave the setting.
        let place: String?

        var prefix: String { place.map { "\($0): " } ?? "" }
    }

    private var settings: [String: Setting]
    private(set) var known: [String] = []

    init(_ properties: [String: String]) {
        settings = properties.mapValues { Setting(text: $0, place: nil) }
    }

    /// The settings of a file, some of them overridden.
    init(_ file: PropertiesFile, overriddenBy properties: [String: String]) {
        self.init(properties)
        for entry in file.entries where properties[entry.name] == nil {
            settings[entry.name] = Setting(text: entry.value, place: "\(file.path), line \(entry.line)")
        }
    }

    /// Takes a setting out; nil if it is not given.
    ///
    /// - Parameter expected: The valid values, as the subject of "is expected".
    private mutating func take<Value>(
        _ name: String, expected: String, _ parse: (String) -> Value?
    ) throws(KafkaError) -> Value? {
        known.append(name)
        guard let setting = settings.removeValue(forKey: name) else { return nil }
        guard let value = parse(setting.text) else {
            throw KafkaError(
                .invalidConfig, setting.prefix + Self.isInvalid(name, expected))
        }
        return value
    }

    /// The message for an invalid value. It does not contain the value, which may be a secret in the wrong place.
    static func isInvalid(_ name: String, _ expected: String) -> String {
        "the value of \(name) is invalid; \(expected) is expected"
    }

    /// Whether the text consists of ASCII letters, digits and `. , - _`.
    static func isPlain(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { scalar in
            scalar.isASCII && (scalar.properties.isAlphabetic || "0"..."9" ~= scalar)
                || [".", ",", "-", "_"].contains(scalar)
        }
    }

    mutating func set(_ target: inout Int, _ name: String, in range: ClosedRange<Int>) throws(KafkaError) {
        let expected =
            range.upperBound == .max
            ? "a whole number from \(range.lowerBound)"
            : "a whole number from \(range.lowerBound) to \(range.upperBound)"
        let value = try take(name, expected: expected) { text in
            Int(text.trimmed).flatMap { range.contains($0) ? $0 : nil }
        }
        if let value { target = value }
        guard range.contains(target) else { throw Self.isOutOfRange(name, "\(target)", expected) }
    }

    private static func isOutOfRange(_ name: String, _ value: String, _ expected: String) -> KafkaError {
        KafkaError(.invalidConfig, "the setting \(name) is \(value); \(expected) is expected")
    }

    mutating func set(_ target: inout Int?, _ name: String, in range: ClosedRange<Int>) throws(KafkaError) {
        var value = target ?? range.lowerBound
        let isGiven = settings[name] != nil
        try set(&value, name, in: range)
        if isGiven { target = value }
    }

    /// Sets a duration from a number of milliseconds.
    mutating func set(_ target: inout Duration, _ name: String, atLeast minimum: Int = 0) throws(KafkaError) {
        let range = Duration.milliseconds(minimum)...Duration.milliseconds(Int32.max)
        guard range.contains(target) else {
            let expected = "\(minimum) ms to \(Int32.max) ms"
            throw Self.isOutOfRange(name, "\(target)", expected)
        }
        var milliseconds = Int(target.wholeMilliseconds)
        let isGiven = settings[name] != nil
        try set(&milliseconds, name, in: minimum...Int(Int32.max))
        // A typed value may have a fraction.
        if isGiven { target = .milliseconds(milliseconds) }
    }

    /// Sets a duration from a number of milliseconds; -1 means nil.
    mutating func set(_ target: inout Duration?, _ name: String) throws(KafkaError) {
        if let given = target, given < .zero { throw Self.isOutOfRange(name, "\(given)", "0 ms or more, or nil") }
        var milliseconds = target.map { Int($0.wholeMilliseconds) } ?? -1
        let isGiven = settings[name] != nil
        try set(&milliseconds, name, in: -1...Int(Int32.max))
        if isGiven { target = milliseconds < 0 ? nil : .milliseconds(milliseconds) }
    }

    mutating func set(_ target: inout Bool, _ name: String) throws(KafkaError) {
        if let value = try take(name, expected: "true or false", { Self.boolean($0) }) { target = value }
    }

    mutating func set(_ target: inout Bool?, _ name: String) throws(KafkaError) {
        if let value = try take(name, expected: "true or false", { Self.boolean($0) }) { target = value }
    }

    private static func boolean(_ text: String) -> Bool? { Bool(text.trimmed.lowercased()) }

    mutating func set(_ target: inout String, _ name: String) throws(KafkaError) {
        if let value = try text(name) { target = value }
    }

    mutating func set(_ target: inout String?, _ name: String) throws(KafkaError) {
        if let value = try text(name) { target = value }
    }

    /// Sets one of a few words, in upper or lower case.
    mutating func set<Value>(_ target: inout Value, _ name: String, from names: KeyValuePairs<String, Value>)
        throws(KafkaError)
    {
        let expected = "one of " + names.map(\.key).joined(separator: ", ")
        let value = try take(name, expected: expected) { text in
            names.first { $0.key.lowercased() == text.trimmed.lowercased() }?.value
        }
        if let value { target = value }
    }

    /// As `set(_:_:from:)`, and checks that a value which was given in code is one of the known ones.
    mutating func set<Value: Equatable>(
        _ target: inout Value, _ name: String, knownAs names: KeyValuePairs<String, Value>
    ) throws(KafkaError) {
        try set(&target, name, from: names)
        guard names.contains(where: { $0.value == target }) else {
            throw Self.isOutOfRange(name, "\(target)", "one of " + names.map(\.key).joined(separator: ", "))
        }
    }

    /// Sets a list of brokers, `host:port` with commas between.
    ///
    /// - Throws: INVALID_CONFIG with the position of an invalid entry.
    mutating func set(_ target: inout [BrokerAddress], _ name: String) throws(KafkaError) {
        known.append(name)
        guard let setting = settings.removeValue(forKey: name) else { return }
        do throws(KafkaError) {
            target = try BrokerAddress.list(setting.text)
        } catch {
            throw KafkaError(.invalidConfig, setting.prefix + error.message)
        }
    }

    /// Takes a setting's text; nil if it is not given.
    mutating func text(_ name: String) throws(KafkaError) -> String? {
        try take(name, expected: "a text") { $0 }
    }

    /// Throws for settings that only other clients have, with a hint. Called first, since the hint helps more than an error
    /// about a missing setting.
    func refuseForeignNames() throws(KafkaError) {
        for (name, setting) in settings.sorted(by: { $0.key < $1.key }) {
            guard let hint = Self.foreignNames[name] else { continue }
            throw KafkaError(.invalidConfig, "\(setting.prefix)there is no property \(name): \(hint)")
        }
    }

    /// Settings of Java programs that have no meaning here: to this client keys and values are bytes, so it needs no classes
    /// to convert them.
    static let meaningless: Set<String> = [
        "key.serializer", "value.serializer", "key.deserializer", "value.deserializer",
    ]

    /// Sets a value that has a syntax of its own.
    ///
    /// - Parameter parse: Returns nil for an invalid text.
    mutating func set<Value>(
        _ target: inout Value, _ name: String, expected: String, _ parse: (String) -> Value?
    ) throws(KafkaError) {
        if let value = try take(name, expected: expected, parse) { target = value }
    }

    /// Throws if a setting is left, since its name is unknown. The error names the nearest known setting.
    func finish() throws(KafkaError) {
        let left = settings.filter { !Self.meaningless.contains($0.key) }
        guard let (name, setting) = left.min(by: { $0.key < $1.key }) else { return }
        let nearest = known.min { distance($0, name) < distance($1, name) }
        // The two names must have most of their letters in common.
        let limit = min(6, max(name.utf8.count, nearest?.utf8.count ?? 0) / 3)
        let hint = nearest.flatMap { distance($0, name) <= limit ? "; did you mean \($0)?" : nil }
        guard hint != nil || isLikeKnown(name) else {
            throw KafkaError(
                .invalidConfig,
                "\(setting.prefix)there is no property of a name that was given; it isn't shown, since it may be a part "
                    + "of the previous value: a line that continues on the next one must end with a backslash")
        }
        throw KafkaError(.invalidConfig, "\(setting.prefix)there is no property \(name)\(hint ?? "")")
    }

    /// Whether a name has the same first part (up to the first dot) as a known one, and so is no part of a value.
    private func isLikeKnown(_ name: String) -> Bool {
        let first = name.prefix { $0 != "." }
        return Self.isPlain(name) && name.utf8.count <= 64 && first.utf8.count < name.utf8.count
            && known.contains { $0.hasPrefix(first + ".") }
    }

    /// The Levenshtein distance: the number of letters to insert, remove or replace.
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
