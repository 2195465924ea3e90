import TestSupport

/// Makes JSON values for a family of columns: common forms, rare ones, and invalid ones.
struct ValueGenerator {
    var random: SeededRandom

    mutating func value(for family: ComparedColumn.Family) -> String {
        if chance(40) { return anything() }
        if chance(25) { return "null" }
        switch family {
        case .bool: return pick(["true", "false", "1", "0", quoted(pick(Self.truths))])
        case .number: return number(isWhole: !chance(6))
        case .float: return number(isWhole: chance(3))
        case .text: return chance(8) ? json(depth: 2) : string()
        case .bytea: return bytes()
        case .time: return chance(40) ? number(isWhole: true) : quoted(time())
        case .interval: return quoted(pick(Self.intervals))
        case .uuid: return quoted(uuid())
        case .json: return json(depth: 4)
        case .inet: return quoted(inet())
        case .label: return chance(4) ? quoted(word()) : pick(ComparedColumn.labels.map { "\"\($0)\"" } + ["1"])
        case .range: return quoted("[\(time()),\(time()))")
        case .numbers: return array(of: .number)
        case .floats: return array(of: .float)
        case .texts: return array(of: .text)
        case .times: return array(of: .time)
        case .jsons: return array(of: .json)
        case .labels: return array(of: .label)
        }
    }

    /// A value of any family.
    mutating func anything() -> String {
        guard !chance(4), let family = ComparedColumn.Family.allCases.randomElement(using: &random) else {
            return json(depth: 3)
        }
        return value(for: family)
    }

    mutating func json(depth: Int) -> String {
        let kind = Int.random(in: 0..<(depth > 0 ? 8 : 6), using: &random)
        switch kind {
        case 0: return pick(["true", "false", "null"])
        case 1, 2: return number(isWhole: chance(2), asText: false)
        case 3...5: return string()
        default:
            let count = Int.random(in: 0...3, using: &random)
            var parts: [String] = []
            for _ in 0..<count {
                let value = json(depth: depth - 1)
                parts.append(kind == 6 ? value : "\(string()):\(value)")
            }
            let separator = pick([",", ", ", " ,\n"])
            return kind == 6 ? "[\(parts.joined(separator: separator))]" : "{\(parts.joined(separator: separator))}"
        }
    }

    private mutating func array(of family: ComparedColumn.Family) -> String {
        if chance(10) { return quoted(pick(["{}", "{1,2}", "{\\\"a b\\\",NULL}", "{{1},{2}}", "{1", "[0:1]={1,2}"])) }
        if chance(12) {
            return pick([
                "[]", "[[]]", "[[],[]]", "[[],1]", "[null,[1]]", "[[1],null]", "[[1,2],[3]]", "[[1],[]]",
                "[[[[[[[1]]]]]]]", "[[1,[2]],[3,4]]", "[\"now\"]", "[[\"TODAY 10:00\"]]", "[ [1] , [2] ]", "[{}]",
            ])
        }
        if chance(5) {
            let width = Int.random(in: 1...3, using: &random)
            var rows: [String] = []
            for _ in 0..<Int.random(in: 1...3, using: &random) { rows.append(elements(family, width)) }
            return "[\(rows.joined(separator: ","))]"
        }
        return elements(family, Int.random(in: 1...5, using: &random))
    }

    private mutating func elements(_ family: ComparedColumn.Family, _ count: Int) -> String {
        var parts: [String] = []
        for _ in 0..<count { parts.append(value(for: family)) }
        return "[\(parts.joined(separator: pick([",", " , "])))]"
    }

    // MARK: Numbers

    mutating func number(isWhole: Bool, asText: Bool = true) -> String {
        if asText, chance(8) { return quoted(pick(Self.numberTexts)) }
        if chance(4) { return pick(Self.numbers) }
        var text = pick(["", "", "-"])
        text += digits(pick([1, 2, 3, 4, 5, 8, 9, 10, 15, 16, 17, 18, 19, 20, 25]), isFirst: true)
        if !isWhole {
            if !chance(4) { text += "." + digits(Int.random(in: 1...12, using: &random), isFirst: false) }
            if chance(4) { text += pick(["e", "E", "e+", "e-", "E-"]) + digits(pick([1, 2, 3]), isFirst: false) }
        }
        return asText && chance(6) ? quoted(pick(["", " ", "+", "\\t"]) + text + pick(["", "", " ", "\\n"])) : text
    }

    private mutating func digits(_ count: Int, isFirst: Bool) -> String {
        var text = ""
        for place in 0..<count {
            let isLeading = isFirst && place == 0 && count > 1
            text += String(Int.random(in: (isLeading ? 1 : 0)...9, using: &random))
        }
        return chance(4)
            ? String(text.map { $0 == "9" ? "9" : "0" }).replacing(/^0+(?=.)/, with: isFirst ? "1" : "0") : text
    }

    // MARK: Text

    mutating func string() -> String {
        var text = ""
        let count = pick([0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 40, 300])
        for _ in 0..<count {
            switch Int.random(in: 0..<40, using: &random) {
            case 0: text += pick(["\\n", "\\\"", "\\\\", "\\/", "\\b", "\\f", "\\r", "\\t"])
            case 1: text += pick(["\\u00e9", "\\u20AC", "\\ud83d\\ude00", "\\u0001", "\\u007f", "\\u005c"])
            case 2: text += pick(["é", "€", "😀", "\u{7f}", "ü"])
            case 3, 4: text += " "
            case 5 where chance(20):
                text += pick(["\\u0000", "\\ud800", "\\udc00x", "\\ud83dx", "\\u12g4", "\\x", "\u{1}"])
            default: text += String(UnicodeScalar(UInt8.random(in: 0x61...0x7a, using: &random)))
            }
        }
        if chance(8) { text += "   " }
        return quoted(text)
    }

    mutating func word() -> String {
        pick(["a", "x", "extra", "a_tex", "a_text_", "Größe", "unit_collection_pt_time"])
    }

    private mutating func bytes() -> String {
        if chance(3) { return string() }
        let hex = (0..<Int.random(in: 0...6, using: &random)).map { _ in
            String(UInt8.random(in: 16...255, using: &random), radix: 16, uppercase: true)
        }.joined(separator: chance(6) ? " " : "")
        return quoted(
            pick(["\\\\x", "\\\\x", "\\\\X", "\\\\001", "a\\\\\\\\", "\\u005cx"]) + hex + pick(["", "", "0", "g"]))
    }

    private mutating func uuid() -> String {
        let hex = (0..<32).map { _ in String(Int.random(in: 0..<16, using: &random), radix: 16) }.joined()
        let groups = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(Array(hex)[$0]) }
        let usual = groups.joined(separator: "-")
        return chance(3)
            ? pick([
                hex, "{\(usual)}", usual.uppercased(), usual + "0", String(usual.dropLast()), "\(usual) ", "nil",
                usual.replacing("-", with: ":"), String(usual.dropLast()) + "g",
            ]) : usual
    }

    private mutating func inet() -> String {
        let parts = (0..<4).map { _ in String(Int.random(in: 0...260, using: &random)) }.joined(separator: ".")
        return chance(3)
            ? pick([
                "::1", "2001:db8::/32", "10.1", "010.0.0.1", "10.0.0.1/33", "10.0.0.1/08", "1.2.3.4.5",
                "::ffff:1.2.3.4", "",
            ])
            : parts + pick(["", "", "/8", "/32", "/0"])
    }

    // MARK: Times

    mutating func time() -> String {
        if chance(5) { return pick(Self.times) }
        func two(_ range: ClosedRange<Int>, _ random: inout SeededRandom) -> String {
            let text = String(Int.random(in: range, using: &random))
            return text.utf8.count < 2 ? "0" + text : text
        }
        let year = pick(["2024", "1999", "1970", "2000", "1900", "0001", "9999", "1582", "2038"])
        let date = "\(year)-\(two(chance(30) ? 0...13 : 1...12, &random))-\(two(chance(6) ? 0...32 : 1...28, &random))"
        if chance(8) { return date }
        var clock = "\(two(chance(30) ? 0...26 : 0...23, &random)):\(two(chance(30) ? 0...61 : 0...59, &random))"
        if !chance(6) {
            clock += ":" + two(chance(20) ? 0...61 : 0...59, &random)
            if !chance(3) { clock += "." + digits(Int.random(in: 0...16, using: &random), isFirst: false) }
        }
        if !chance(3) {
            clock += pick([
                "Z", "+01", "+01:00", "-0530", "+05:45", "z", " Z", "+1", "-12:00", "+14", "+15:59", "+16",
                "+01:60", "+0:30", " +01:00", " UTC", " Europe/Madrid", "+01:00:30", "-00:00", " PST", "+", "Zz",
            ])
        }
        if chance(8) { return clock }
        return date + pick(["T", " ", "T", " ", "  ", "t", "", "_"]) + clock + (chance(30) ? " " : "")
    }

    // MARK: Choices

    func quoted(_ text: String) -> String { "\"\(text)\"" }

    mutating func pick<T>(_ choices: [T]) -> T { choices[Int.random(in: 0..<choices.count, using: &random)] }

    mutating func chance(_ one: Int) -> Bool { Int.random(in: 0..<one, using: &random) == 0 }

    static let truths = [
        "t", "f", "true", "FALSE", "yes", "No", "on", "off", "of", "o", "1", "0", " true ", "tru", "truee", "", "y",
        "01",
        "\\u0074", "yE",
    ]

    static let numbers = [
        "0", "-0", "0.0", "-0.0", "32767", "32768", "-32768", "-32769", "2147483647", "2147483648", "-2147483648",
        "-2147483649", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809",
        "18446744073709551615", "18446744073709551616", "1e5", "1E+2", "1.0", "1e400", "-1e400", "1e-400", "0e-400",
        "1e22", "1e23", "9007199254740993", "0.1", "1.7976931348623157e308", "1.7976931348623159e308", "4.9e-324",
        "2.4703282292062327e-324", "2.4703282292062328e-324", "2.2250738585072011e-308", "3.4028235e38",
        "3.4028236e38", "3.40282357e38", "1.17549435e-38", "1.4e-45", "7e-46", "7.1e-46", "16777217",
        "16777217.000000001", "999.99", "999.994", "999.995", "999.9949999999999999999999", "-999.995", "0.00099",
        "0.000994", "0.000995", "0.001", "99949", "99950", "50", "49", "1e300", "1e-200", "0e300", "1.50", "100.10",
        "12345678901234567890.12345678901234567890", "0.000000000000000000000000000001", "01", "1.", ".5", "+1", "1e",
        "-", "0x1F", "1_000", "00", "1e1000", "123456789012345678901234567890e-30", "8.5", "1e-999",
    ]

    static let numberTexts = [
        "+5", " 5 ", "\\t7\\n", "\\u000b5", "0x1F", "0o17", "0b11", "1_000", "-0x10", "NaN", "nan", "Infinity",
        "-Infinity",
        "inf", "+inf", "-inf", "", " ", "12kg", "1e", "1e5", "1e 5", ".5", "5.", "-.5", "+.5e-3", "--5", "+-5", ".",
        "e5",
        "0x1p3", "1e400", "1e-400", "0001", "-00", "- 5", "5 5", "nan(1)", "infinit", "1__0", "_1", "1_", "0x", "1.5_0",
        "1e1_0", "99999999999999999999", "\\u0031", "1,5", "N", "i", "1d5", "1f", "1.5E+0010", "null", "true",
        "0e99999", "1e-99999", "1e100000", "1e-16383", "1e-16384", "0e-16384",
    ]

    static let intervals = [
        "1 day", "P1D", "PT1H30M", "01:30:00", "-1 year 2 mons", "1.5 hours", "@ 3 days ago", "P1Y2M3DT4H5M6.5S", "",
        " ",
        "1", "abc", "1 fortnight", "infinity", "1 day ago", "P", "PT", "-P1D", "1-2", "1 2:03:04", "12", "1e3 s", "ago",
    ]

    static let times = [
        "Mar 3 2024", "3 March 2024 10:00", "2024-063", "20240312T061500", "20240312", "20240312 061500Z", "epoch",
        "infinity", "-infinity", "Infinity", "+infinity", "now", "today 10:00", " NOW ", "Yesterday", "tomorrow 24:00",
        "2024-03-12 24:00:00", "2024-03-12 24:00:01", "2024-03-12 23:59:60", "0000-01-01", "0001-01-01", "9999-12-31",
        "10000-01-01", "294276-12-31 23:59:59.999999", "294277-01-01", "2024-03-12 BC", "0044-03-15 BC", "24-03-12",
        "03/12/2024", "13/12/2024", "12.03.2024", "2024-3-1", "2024-03-12 6:15", "2024-03-12 06:15 PM", "06:15 PM",
        "2024-03-12T06:15:00.123Z ", " 2024-03-12", "2024-02-29", "2023-02-29", "1900-02-29", "J2451187", "allballs",
        "",
        " ", "abc", "Monday", "2024", "2024-03", "1710223200", "1710223200123", "061500", "6:15", "24:00", "24:00:01",
        "2024-03-12T", "2024-03-12 ", "2024-03-12T06", "2024-03-12 06", "2024-03-12T0615", "2024/03/12",
        "2024-03-12 06:15:00,5",
        "04:05:06.789-8", "04:05-08:00", "\\u0032024-03-12", "2024-03-12\\u000006:15", "4714-11-24 BC", "5874897-12-31",
        "2024-03-12 06:15:00 GMT+2", "2024-03-31 02:30:00 Europe/Madrid", "23:59:59.9999999", "00:00:00.0000005",
    ]
}
