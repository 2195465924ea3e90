import IngestEngine
import TestSupport

/// Messages of one form, as a program writes them: the same fields in the same order, with common values. The encoder
/// has a fast path for such messages.
struct MessageSeries {
    private let columns: [ComparedColumn]
    /// Whether there is a field that no column reads.
    private let hasExtra: Bool
    private let isSpaced: Bool
    private var left: Int

    var isOver: Bool { left <= 0 }

    init(_ values: inout ValueGenerator) {
        // Most series have only columns that the fast path supports.
        let hasOthers = values.chance(4)
        var columns = ComparedColumn.all.filter { column in
            Self.hasUsualValues(column.type, hasOthers) && values.chance(3)
        }
        if values.chance(5) { columns.shuffle(using: &values.random) }
        self.columns = columns
        hasExtra = values.chance(3)
        isSpaced = values.chance(2)
        left = Int.random(in: 20...60, using: &values.random)
    }

    mutating func next(_ values: inout ValueGenerator) -> String {
        left -= 1
        var fields: [String] = []
        for column in columns {
            let value = values.chance(30) ? values.value(for: column.family) : Self.usualValue(column.type, &values)
            fields.append("\"\(column.name)\":\(isSpaced ? " " : "")\(value)")
        }
        if hasExtra {
            let value = values.chance(4) ? values.json(depth: 2) : "\(left)"
            fields.insert("\"extra\":\(isSpaced ? " " : "")\(value)", at: fields.count / 2)
        }
        return "{" + fields.joined(separator: isSpaced ? ", " : ",") + "}"
    }

    private static func hasUsualValues(_ type: ColumnType, _ hasOthers: Bool) -> Bool {
        switch type {
        case .bool, .int2, .int4, .int8, .float8, .text, .date, .timestamp, .timestamptz: true
        case .numeric, .varchar: hasOthers
        default: false
        }
    }

    /// A value in the most common form.
    private static func usualValue(_ type: ColumnType, _ values: inout ValueGenerator) -> String {
        func digits(_ most: Int, _ random: inout SeededRandom) -> String {
            let count = Int.random(in: 1...most, using: &random)
            let first = Int.random(in: (count == 1 ? 0 : 1)...9, using: &random)
            return (1..<count).reduce("\(first)") { text, _ in text + "\(Int.random(in: 0...9, using: &random))" }
        }
        func two(_ range: ClosedRange<Int>, _ random: inout SeededRandom) -> String {
            let number = Int.random(in: range, using: &random)
            return number < 10 ? "0\(number)" : "\(number)"
        }
        if values.chance(40) { return "null" }
        let sign = values.chance(5) ? "-" : ""
        switch type {
        case .bool: return values.pick(["true", "false"])
        case .int2: return sign + digits(5, &values.random)
        case .int4: return sign + digits(10, &values.random)
        case .int8: return sign + digits(19, &values.random)
        case .float8, .numeric:
            return sign + digits(7, &values.random)
                + (values.chance(4) ? "" : "." + String(digits(9, &values.random).reversed()))
        case .date: return "\"2024-\(two(1...12, &values.random))-\(two(1...31, &values.random))\""
        case .timestamp, .timestamptz:
            let time = "\(two(0...23, &values.random)):\(two(0...59, &values.random)):\(two(0...59, &values.random))"
            let fraction = values.chance(3) ? "" : "." + String(digits(7, &values.random).reversed())
            let date = "2024-\(two(1...12, &values.random))-\(two(1...28, &values.random))"
            return "\"\(date)\(values.pick(["T", " "]))\(time)\(fraction)\(values.pick(["", "Z", "+01:00"]))\""
        default:
            let count = values.pick([0, 1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 33])
            let letters = (0..<count).map { _ in values.pick(["a", "b", " ", "x", "9", values.chance(20) ? "ü" : "y"]) }
            return "\"\(letters.joined())\""
        }
    }
}
