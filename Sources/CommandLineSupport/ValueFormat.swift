/// The text format of an option's value.
public struct ValueFormat<Value: Sendable>: Sendable {
    /// The placeholder of the value in the help text.
    public let placeholder: String
    /// A description of valid values that follows "expects".
    public let expectation: String
    /// Parses a text; nil if it is invalid.
    public let parse: @Sendable (String) -> Value?
    /// Formats a value as a user would write it.
    public let format: @Sendable (Value) -> String

    public init(
        placeholder: String, expectation: String,
        parse: @escaping @Sendable (String) -> Value?, format: @escaping @Sendable (Value) -> String
    ) {
        self.placeholder = placeholder
        self.expectation = expectation
        self.parse = parse
        self.format = format
    }
}

extension ValueFormat<String> {
    /// Any text that isn't empty.
    public static let string = ValueFormat(
        placeholder: "TEXT", expectation: "a value that isn't empty", parse: { $0.isEmpty ? nil : $0 }, format: { $0 })
}

extension ValueFormat where Value: RawRepresentable<String> & CaseIterable {
    /// One of an enum's raw values.
    public static func word(_: Value.Type) -> ValueFormat {
        let words = Value.allCases.map(\.rawValue)
        return ValueFormat(
            placeholder: words.joined(separator: "|"), expectation: "one of \(words.joined(separator: ", "))",
            parse: { Value(rawValue: $0) }, format: { $0.rawValue })
    }
}

extension ValueFormat<Int> {
    /// An integer in a range.
    public static func int(_ range: ClosedRange<Int>) -> ValueFormat {
        ValueFormat(
            placeholder: "N", expectation: "a whole number from \(range.lowerBound) to \(range.upperBound)",
            parse: { text in Int(text).flatMap { range.contains($0) ? $0 : nil } }, format: { "\($0)" })
    }
}

extension ValueFormat<Double> {
    /// A number above zero and at most `maximum`.
    public static func double(upTo maximum: Double) -> ValueFormat {
        ValueFormat(
            placeholder: "X", expectation: "a number above 0, up to \(Numbers.plain(maximum))",
            parse: { text in Double(text).flatMap { $0 > 0 && $0 <= maximum ? $0 : nil } },
            format: { Numbers.plain($0) })
    }
}

extension ValueFormat<Duration> {
    /// A time with a unit, at most a day; zero only if `allowsZero`.
    public static func duration(allowsZero: Bool = false) -> ValueFormat {
        ValueFormat(
            placeholder: "TIME",
            expectation:
                "a time \(allowsZero ? "up to" : "above 0, up to") a day with its unit, such as 50ms, 2s or 1m",
            parse: { text in
                guard let duration = DurationText.parse(text), duration <= .seconds(86_400) else { return nil }
                return duration == .zero && !allowsZero ? nil : duration
            },
            format: DurationText.format)
    }
}

/// A client setting by its Kafka name.
public struct Property: Equatable, Sendable {
    public let name: String
    /// May be a password, so never print it.
    public let value: String
}

extension ValueFormat<Property> {
    /// `name=value`; the value may be empty and may contain equals signs.
    public static let property = ValueFormat(
        placeholder: "NAME=VALUE", expectation: "name=value, such as client.id=press-3",
        parse: { text in
            guard let equals = text.firstIndex(of: "="), equals > text.startIndex else { return nil }
            return Property(name: String(text[..<equals]), value: String(text[text.index(after: equals)...]))
        },
        format: { "\($0.name)=…" })
}

/// Times as users write them: a number with the unit ms, s, m or h.
public enum DurationText {
    private static let units: [(suffix: String, milliseconds: Double)] = [
        ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000),
    ]

    static func parse(_ text: String) -> Duration? {
        guard let unit = units.first(where: { text.hasSuffix($0.suffix) }) else { return nil }
        let digits = text.dropLast(unit.suffix.count)
        guard digits.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }), let number = Double(digits) else {
            return nil
        }
        let microseconds = (number * unit.milliseconds * 1000).rounded()
        return microseconds < 1e15 ? .microseconds(Int64(microseconds)) : nil
    }

    public static func format(_ duration: Duration) -> String {
        let milliseconds = duration / .milliseconds(1)
        let unit = units.last {
            milliseconds >= $0.milliseconds && milliseconds.remainder(dividingBy: $0.milliseconds) == 0
        }
        guard let unit else { return Numbers.plain(milliseconds) + "ms" }
        return Numbers.plain(milliseconds / unit.milliseconds) + unit.suffix
    }
}
