import IngestEngine

/// Checks that a row in COPY's binary format has a well-formed value for each column of a plan.
///
/// Source: the `recv` functions of PostgreSQL's types, and the manual, "COPY", section "Binary Format".
struct RowChecker {
    private let columns: [RowPlan.Column]

    init(_ plan: RowPlan) { columns = plan.columns }

    /// A description of the first fault in a row; nil if there is none.
    func fault(in row: [UInt8]) -> String? {
        var reader = Reader(rest: row[...])
        guard reader.number(2) == Int64(columns.count) else { return "the row has a wrong number of columns" }
        for column in columns {
            guard let length = reader.number(4), length >= -1 else { return "column \(column.name) has no length" }
            guard length >= 0 else {
                if column.isNotNull { return "column \(column.name) is null" }
                continue
            }
            guard let value = reader.bytes(Int(length)) else { return "column \(column.name) is longer than the row" }
            guard Self.isValid(value, column.type) else {
                return "column \(column.name): \(Array(value)) is no value of \(column.type)"
            }
        }
        return reader.rest.isEmpty ? nil : "something follows the row's last column"
    }

    private struct Reader {
        var rest: ArraySlice<UInt8>

        mutating func bytes(_ count: Int) -> ArraySlice<UInt8>? {
            guard count >= 0, rest.count >= count else { return nil }
            defer { rest = rest.dropFirst(count) }
            return rest.prefix(count)
        }

        /// Reads a signed number in network byte order.
        mutating func number(_ count: Int) -> Int64? {
            guard let bytes = bytes(count), let first = bytes.first else { return nil }
            return bytes.reduce(first >= 0x80 ? -1 : 0) { $0 << 8 | Int64($1) }
        }
    }

    private static func number(_ value: ArraySlice<UInt8>) -> Int64? {
        var reader = Reader(rest: value)
        return reader.number(value.count)
    }

    private static func isValid(_ value: ArraySlice<UInt8>, _ type: ColumnType) -> Bool {
        switch type {
        case .bool: value.elementsEqual([0]) || value.elementsEqual([1])
        case .int2: value.count == 2
        case .int4, .float4: value.count == 4
        case .int8, .float8: value.count == 8
        case .numeric(let precision): isNumeric(value, precision)
        case .text, .varchar(nil): isText(value)
        case .varchar(let limit?), .char(let limit): isText(value) && isWithin(value, limit)
        case .bytea: true
        case .date: value.count == 4 && isDate(number(value) ?? 0)
        case .time: value.count == 8 && (0...86_400_000_000).contains(number(value) ?? -1)
        case .timestamp, .timestamptz: value.count == 8 && isTimestamp(number(value) ?? 0)
        case .uuid: value.count == 16
        case .json: isJSON(value)
        case .jsonb: value.first == 1 && isJSON(value.dropFirst())
        // An IPv4 network: address family, prefix length, whether it is a `cidr`, address length.
        case .inet:
            value.count == 8 && value.starts(with: [2]) && value.dropFirst().first ?? 33 <= 32
                && value.dropFirst(2).starts(with: [0, 4])
        case .enumeration(let labels): labels.contains { value.elementsEqual($0.utf8) }
        case .domain(let base, _): isValid(value, base)
        case .array(let element, let oid): isArray(value, element, oid)
        // Only the server parses these.
        case .interval, .other: false
        }
    }

    private static func isText(_ value: ArraySlice<UInt8>) -> Bool {
        !value.contains(0) && String(validating: value, as: UTF8.self) != nil
    }

    private static func isWithin(_ value: ArraySlice<UInt8>, _ limit: Int) -> Bool {
        let text = String(decoding: value, as: UTF8.self).unicodeScalars
        return text.dropFirst(limit).allSatisfy { $0 == " " }
    }

    private static func isJSON(_ value: ArraySlice<UInt8>) -> Bool {
        var fields = MessageFields([JSONPath(steps: [])])
        let text = Array(value)
        return unsafe fields.read(text.span.bytes) == nil
    }

    private static func isDate(_ days: Int64) -> Bool {
        // From 4714-11-24 BC to 5874897-12-31, and both infinities.
        (-2_451_545...2_145_031_948).contains(days) || days == Int64(Int32.max) || days == Int64(Int32.min)
    }

    private static func isTimestamp(_ microseconds: Int64) -> Bool {
        (-211_813_488_000_000_000..<9_223_371_331_200_000_000).contains(microseconds) || microseconds == .max
            || microseconds == .min
    }

    private static func isNumeric(_ value: ArraySlice<UInt8>, _ precision: ColumnType.Precision?) -> Bool {
        var reader = Reader(rest: value)
        guard let count = reader.number(2), let weight = reader.number(2), let sign = reader.number(2),
            let scale = reader.number(2), count >= 0, (0...0x3fff).contains(scale)
        else { return false }
        // NaN and infinities have no digits.
        let isNumber = sign == 0 || sign == 0x4000
        guard isNumber || [0xc000, 0xd000, 0xf000].contains(sign & 0xffff) && count == 0 else { return false }
        var first: Int64 = 0
        for index in 0..<count {
            guard let digits = reader.number(2), (0..<10_000).contains(digits) else { return false }
            if index == 0 { first = digits }
        }
        guard let precision, count > 0 else { return reader.rest.isEmpty }
        // A number without leading zeros has a nonzero first group. Rounding may add a digit, so numbers that barely
        // fit are left to the server.
        let digitsBeforePoint = weight * 4 + Int64(String(first).utf8.count)
        return reader.rest.isEmpty && first > 0 && digitsBeforePoint <= Int64(precision.precision - precision.scale)
    }

    private static func isArray(_ value: ArraySlice<UInt8>, _ element: ColumnType, _ oid: UInt32) -> Bool {
        var reader = Reader(rest: value)
        guard let dimensions = reader.number(4), (0...6).contains(dimensions), let hasNulls = reader.number(4),
            hasNulls == 0 || hasNulls == 1, reader.number(4) == Int64(Int32(bitPattern: oid))
        else { return false }
        var count: Int64 = dimensions == 0 ? 0 : 1
        for _ in 0..<dimensions {
            guard let length = reader.number(4), length > 0, reader.number(4) == 1 else { return false }
            count *= length
            guard count <= value.count else { return false }
        }
        var nulls = 0
        for _ in 0..<count {
            guard let length = reader.number(4), length >= -1 else { return false }
            guard length >= 0 else {
                nulls += 1
                continue
            }
            guard let item = reader.bytes(Int(length)), isValid(item, element) else { return false }
        }
        return reader.rest.isEmpty && (nulls > 0) == (hasNulls == 1)
    }
}
