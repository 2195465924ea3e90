/// How a message writes a time.
///
/// A column without a format accepts every form that its type's input function accepts.
public enum TimeFormat: Sendable, Hashable {
    /// ISO 8601: a date, optionally with a time, and that optionally with an offset, such as
    /// `2024-03-12T06:15:00.250+01:00`.
    case iso8601
    /// A number of units since 1970-01-01 00:00 UTC.
    case unix(UnixUnit)
    case pattern(TimePattern)

    public enum UnixUnit: String, Sendable, Hashable, CaseIterable {
        case seconds = "unix_s"
        case milliseconds = "unix_ms"
        case microseconds = "unix_us"
        case nanoseconds = "unix_ns"
    }

    /// The names of all formats that aren't patterns.
    static let names = ["iso8601"] + UnixUnit.allCases.map(\.rawValue)
}

/// A form of local time such as `dd.MM.yyyy HH:mm:ss`, with the letters of Java and Unicode (UTS 35).
///
/// `yyyy` year; `MM`, `M` month; `dd`, `d` day; `HH`, `H` hour; `mm`, `m` minute; `ss`, `s` second; `S` to `SSSSSSSSS`
/// digits of a fraction; `X` an offset: `Z`, `+01`, `+0100` or `+01:00`. A doubled letter means two digits, a single
/// one means one or two. Text between apostrophes is literal, as are characters that aren't letters.
public struct TimePattern: Sendable, Hashable {
    public enum Field: Sendable, Hashable {
        case year, month, day, hour, minute, second
    }

    public enum Element: Sendable, Hashable {
        /// A field of this many digits, or of one or two if `digits` is 1.
        case field(Field, digits: Int)
        /// A fraction of a second of exactly this many digits.
        case fraction(digits: Int)
        case offset
        /// UTF-8 bytes that must occur literally.
        case literal([UInt8])
    }

    public let elements: [Element]
    public let text: String

    /// - Throws: `TimePatternError` for an unknown letter, for a field that occurs twice, and if a field is missing
    ///   that others need.
    public init(_ text: String) throws(TimePatternError) {
        self.text = text
        elements = try Self.elements(of: text)
        try check()
    }

    /// Whether texts of this form include an offset from UTC.
    public var hasOffset: Bool { elements.contains(.offset) }

    private static func elements(of text: String) throws(TimePatternError) -> [Element] {
        var elements: [Element] = []
        var rest = text.unicodeScalars[...]
        func append(literal bytes: some Sequence<UInt8>) {
            if case .literal(let before)? = elements.last {
                elements[elements.count - 1] = .literal(before + bytes)
            } else {
                elements.append(.literal(Array(bytes)))
            }
        }
        while let letter = rest.first {
            if letter == "'" {
                append(literal: try quoted(&rest, text).utf8)
                continue
            }
            guard ("a"..."z").contains(letter) || ("A"..."Z").contains(letter) else {
                append(literal: String(letter).utf8)
                rest.removeFirst()
                continue
            }
            let run = rest.prefix { $0 == letter }
            rest = rest[run.endIndex...]
            guard let element = element(letter, count: run.count) else {
                throw TimePatternError(
                    "\"\(String(run))\" in the pattern \"\(text)\" is unknown; use yyyy, MM, dd, HH, mm, ss, S to "
                        + "SSSSSSSSS and X, and text between apostrophes")
            }
            elements.append(element)
        }
        return elements
    }

    private static func element(_ letter: Unicode.Scalar, count: Int) -> Element? {
        switch (letter, count) {
        case ("y", 4): .field(.year, digits: 4)
        case ("M", 1...2): .field(.month, digits: count)
        case ("d", 1...2): .field(.day, digits: count)
        case ("H", 1...2): .field(.hour, digits: count)
        case ("m", 1...2): .field(.minute, digits: count)
        case ("s", 1...2): .field(.second, digits: count)
        case ("S", 1...9): .fraction(digits: count)
        case ("X", 1...3): .offset
        default: nil
        }
    }

    /// The text between apostrophes, within which a doubled apostrophe is one apostrophe.
    private static func quoted(
        _ rest: inout Substring.UnicodeScalarView, _ text: String
    ) throws(TimePatternError) -> String {
        rest.removeFirst()
        if rest.first == "'" {
            rest.removeFirst()
            return "'"
        }
        var quoted = ""
        while let scalar = rest.popFirst() {
            guard scalar == "'" else {
                quoted.unicodeScalars.append(scalar)
                continue
            }
            guard rest.first == "'" else { return quoted }
            rest.removeFirst()
            quoted.append("'")
        }
        throw TimePatternError("a closing apostrophe is missing in the pattern \"\(text)\"")
    }

    private func check() throws(TimePatternError) {
        var seen: Set<Field> = []
        var fractions = 0
        var offsets = 0
        for element in elements {
            switch element {
            case .field(let field, _):
                guard seen.insert(field).inserted else {
                    throw TimePatternError("the pattern \"\(text)\" names the \(field) twice")
                }
            case .fraction: fractions += 1
            case .offset: offsets += 1
            case .literal: break
            }
        }
        guard fractions <= 1, offsets <= 1 else {
            throw TimePatternError("the pattern \"\(text)\" names the \(fractions > 1 ? "fraction" : "offset") twice")
        }
        // A smaller unit needs all larger ones, except that a time of day needs no date.
        let units: [Field] = [.year, .month, .day, .hour, .minute, .second]
        let isTimeOfDay = seen.isDisjoint(with: [.year, .month, .day])
        var isComplete = true
        for unit in isTimeOfDay ? Array(units[3...]) : units {
            if !seen.contains(unit) {
                isComplete = false
            } else if !isComplete {
                throw TimePatternError("the pattern \"\(text)\" names the \(unit), but not the larger units before it")
            }
        }
        guard seen.contains(isTimeOfDay ? .hour : .day) else {
            throw TimePatternError("the pattern \"\(text)\" names neither a day nor a time of day")
        }
        guard fractions == 0 || seen.contains(.second) else {
            throw TimePatternError("the pattern \"\(text)\" names a fraction, but not the seconds")
        }
    }
}

/// An invalid time pattern.
public struct TimePatternError: Error, Equatable {
    public let message: String

    init(_ message: String) { self.message = message }
}
