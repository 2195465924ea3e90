/// How to encode a value into the binary form of its column's type.
enum ColumnOperation: UInt8 {
    case bool, int2, int4, int8, float4, float8, numeric
    case text
    /// `varchar(n)`, `char(n)`.
    case limitedText
    case bytea
    /// `bytea` in base64 or hex, by the mapping's `format`.
    case encodedBytes
    case date, time, timestamp, timestamptz
    /// One of these types in the mapping's `format`.
    case formattedTime
    case interval, uuid, json, jsonb, inet, enumeration, array
    /// A type whose values only the server parses.
    case other
}

/// The source of a step's value.
enum StepSource: UInt8 {
    case path, topic, partition, offset, timestamp, key, value, header, rest
}

/// One column of a plan, in trivially copyable memory.
struct ColumnStep: BitwiseCopyable {
    var operation = ColumnOperation.other
    var source = StepSource.path
    var isNotNull = false
    /// A path's slot or a header's index.
    var slot: Int32 = 0
    /// `varchar` and `char`: the most characters. `numeric`: the total number of digits, or 0 if unlimited.
    var limit: Int32 = 0
    /// `numeric`: the number of digits after the decimal point.
    var scale: Int32 = 0
    /// The index of details kept elsewhere: an enumeration's labels, a time format or an array's elements; -1 if none.
    var detail: Int32 = -1
    /// The index of the default; -1 if none.
    var fallback: Int32 = -1

    init() {}

    /// Sets the operation of a type, without the details that are kept elsewhere.
    init(_ type: ColumnType) {
        switch type {
        case .bool: operation = .bool
        case .int2: operation = .int2
        case .int4: operation = .int4
        case .int8: operation = .int8
        case .float4: operation = .float4
        case .float8: operation = .float8
        case .numeric(let precision):
            operation = .numeric
            limit = Int32(truncatingIfNeeded: precision?.precision ?? 0)
            scale = Int32(truncatingIfNeeded: precision?.scale ?? 0)
        case .text, .varchar(nil): operation = .text
        case .varchar(let count?), .char(let count):
            operation = .limitedText
            limit = Int32(clamping: count)
        case .bytea: operation = .bytea
        case .date: operation = .date
        case .time: operation = .time
        case .timestamp: operation = .timestamp
        case .timestamptz: operation = .timestamptz
        case .interval: operation = .interval
        case .uuid: operation = .uuid
        case .json: operation = .json
        case .jsonb: operation = .jsonb
        case .inet: operation = .inet
        case .enumeration: operation = .enumeration
        // The server checks a domain's constraints when it receives the base type's binary form.
        case .domain(let base, _): self = ColumnStep(base)
        case .array: operation = .array
        case .other: operation = .other
        }
    }

    /// Whether the type's input function accepts `now`, `today` and the like.
    var takesRelativeTimes: Bool {
        switch operation {
        case .date, .time, .timestamp, .timestamptz: true
        default: false
        }
    }
}

/// The outcome of encoding one value.
enum Verdict: UInt8 {
    case done
    /// A form that only the server can parse.
    case server
    /// Certainly not a value of the type.
    case syntax
    case range
    case tooLong
    case relativeTime
    /// Not an array, or an array whose rows differ in length.
    case array
    case encoding
    /// A null in a column that must not be null.
    case null
    /// A time of day without a date, which is no instant.
    case noDate
}

/// A value to encode: its bytes and the scanner's result.
struct FieldValue: BitwiseCopyable {
    /// The bytes of a string without quotes, or the JSON text of any other value.
    var view: ByteView
    var slot: JSONSlot
    /// Whether the bytes aren't JSON but a record's key, header or value.
    var isForeign = false

    @inline(__always)
    init(_ view: ByteView, _ slot: JSONSlot) {
        self.view = view
        self.slot = slot
    }

    /// A string without escapes.
    static func text(_ view: ByteView) -> FieldValue {
        var slot = JSONSlot()
        slot.kind = .string
        return FieldValue(view, slot)
    }

    static func foreign(_ view: ByteView) -> FieldValue {
        var value = text(view)
        value.isForeign = true
        return value
    }

    var kind: JSONKind {
        @inline(__always) get { slot.kind }
    }
}
