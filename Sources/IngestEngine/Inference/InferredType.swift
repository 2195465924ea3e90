/// The type of a column for a field's values, as far as the samples show.
public enum InferredType: String, Sendable, CaseIterable {
    case boolean
    case integer
    case bigint
    case numeric
    case date
    case timestamp
    case timestamptz
    case uuid
    case text
    case jsonb

    /// The narrowest type of a value; nil for null.
    init?(_ value: SampleJSON) {
        switch value {
        case .null: return nil
        case .bool: self = .boolean
        case .number(let text):
            // A fraction or an exponent makes it numeric, even if the value is an integer.
            self = Int32(text) != nil ? .integer : Int64(text) != nil ? .bigint : .numeric
        case .string(let text): self = Self.ofText(text)
        case .array, .object: self = .jsonb
        }
    }

    /// The narrowest type for the values of both.
    ///
    /// A local time and an instant have only text in common, since each would be changed by the other's type.
    func widened(by other: InferredType) -> InferredType {
        if self == other { return self }
        let pair: Set<InferredType> = [self, other]
        if pair.contains(.jsonb) { return .jsonb }
        if pair.isSubset(of: [.integer, .bigint]) { return .bigint }
        if pair.isSubset(of: [.integer, .bigint, .numeric]) { return .numeric }
        if pair == [.date, .timestamp] { return .timestamp }
        return .text
    }

    private static func ofText(_ text: String) -> InferredType {
        let bytes = Array(text.utf8)
        if isUUID(bytes) { return .uuid }
        return time(bytes) ?? .text
    }

    private static func isUUID(_ bytes: [UInt8]) -> Bool {
        guard bytes.count == 36 else { return false }
        return bytes.indices.allSatisfy { index in
            [8, 13, 18, 23].contains(index)
                ? bytes[index] == UInt8(ascii: "-") : Character(Unicode.Scalar(bytes[index])).isHexDigit
        }
    }

    /// The type of an ISO 8601 text; nil for other texts. The date `2024-03-12` may be followed by `T` or a blank and
    /// a time `06:15`, `06:15:00` or `06:15:00.25`, and that by an offset.
    private static func time(_ bytes: [UInt8]) -> InferredType? {
        var rest = bytes[...]
        func number(_ digits: Int, _ range: ClosedRange<Int>) -> Int? {
            guard rest.count >= digits, let value = Int(String(decoding: rest.prefix(digits), as: UTF8.self)),
                rest.prefix(digits).allSatisfy({ (0x30...0x39).contains($0) }), range.contains(value)
            else { return nil }
            rest.removeFirst(digits)
            return value
        }
        func take(_ characters: String) -> Bool {
            guard let first = rest.first, characters.utf8.contains(first) else { return false }
            rest.removeFirst()
            return true
        }
        guard let year = number(4, 1...9999), take("-"), let month = number(2, 1...12), take("-"),
            let day = number(2, 1...31), day <= daysIn(month, of: year)
        else { return nil }
        if rest.isEmpty { return .date }
        guard take("T "), number(2, 0...23) != nil, take(":"), number(2, 0...59) != nil else { return nil }
        if take(":") {
            guard number(2, 0...59) != nil else { return nil }
            if take(".") {
                let digits = rest.prefix { (0x30...0x39).contains($0) }
                guard (1...9).contains(digits.count) else { return nil }
                rest.removeFirst(digits.count)
            }
        }
        if rest.isEmpty { return .timestamp }
        if take("Z") { return rest.isEmpty ? .timestamptz : nil }
        guard take("+-"), number(2, 0...15) != nil else { return nil }
        if !rest.isEmpty {
            _ = take(":")
            guard number(2, 0...59) != nil else { return nil }
        }
        return rest.isEmpty ? .timestamptz : nil
    }

    private static func daysIn(_ month: Int, of year: Int) -> Int {
        switch month {
        case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}
