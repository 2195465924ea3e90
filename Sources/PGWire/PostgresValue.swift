/// A parameter of a statement: the value of `$1`, `$2` and so on.
///
/// The server infers the parameter's type from its place in the statement. If it can't, write a cast: `$1::int`.
public enum PostgresValue: Sendable, Equatable {
    case null
    case text(String)
    case int(Int64)
    case double(Double)
    case bool(Bool)
    case bytea([UInt8])

    /// An integer of any size; null for nil.
    public init(_ value: (some BinaryInteger)?) {
        self = value.map { Int64(exactly: $0).map(PostgresValue.int) ?? .text(String($0)) } ?? .null
    }

    /// A string; null for nil.
    public init(_ value: String?) {
        self = value.map(PostgresValue.text) ?? .null
    }
}

extension PostgresValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByNilLiteral
{
    public init(stringLiteral value: String) { self = .text(value) }
    public init(integerLiteral value: Int64) { self = .int(value) }
    public init(floatLiteral value: Double) { self = .double(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(nilLiteral: ()) { self = .null }
}

extension PostgresValue {
    /// Whether the bytes are in binary format instead of text format.
    var isBinary: Bool {
        if case .bytea = self { true } else { false }
    }

    /// The bytes to send to the server, without a final NUL; nil for null.
    var wireBytes: [UInt8]? {
        switch self {
        case .null: nil
        case .text(let string): Array(string.utf8)
        case .int(let value): Array(String(value).utf8)
        // Swift's text format and the server's agree, including infinity and NaN.
        case .double(let value): Array(String(value).utf8)
        case .bool(let value): Array((value ? "t" : "f").utf8)
        case .bytea(let bytes): bytes
        }
    }
}
