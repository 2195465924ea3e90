/// How a value becomes the binary form of its column's type.
enum ColumnOperation: UInt8 {
    case bool, int2, int4, int8, float4, float8, numeric
    case text
    /// `varchar(n)`, `char(n)`.
    case limitedText
    case bytea
    /// `bytea` in base64 or hex, as the mapping says.
    case encodedBytes
    case date, time, timestamp, timestamptz
    /// The same types in the form that the mapping says.
    case formattedTime
    case interval, uuid, json, jsonb, inet, enumeration, array
    /// A type whose values the database reads.
    case other
}

/// Where a step's value comes from.
enum StepSource: UInt8 {
    case path, topic, partition, offset, timestamp, key, value, header, rest
}

/// One column of a plan in plain memory.
struct ColumnStep: BitwiseCopyable {
    var operation = ColumnOperation.other
    var source = StepSource.path
    var isNotNull = false
    /// A path's slot, or a header's index.
    var slot: Int32 = 0
    /// `varchar` and `char`: the most characters. `numeric`: the digits in all, or 0 without a limit.
    var limit: Int32 = 0
    /// `numeric`: the digits behind the point.
    var scale: Int32 = 0
    /// The index of what doesn't fit in here: labels of an enumeration, a time format, an array's elements.
    var detail: Int32 = -1
    /// The index of the default, or -1.
    var fallback: Int32 = -1

    init() {}

    /// The operation of a type, without the details that are kept elsewhere.
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
        // The server evaluates a domain's constraints when it receives the base type's form.
        case .domain(let base, _): self = ColumnStep(base)
        case .array: operation = .array
        case .other: operation = .other
        }
    }

    /// Whether the type's input takes `now`, `today` and the like.
    var takesRelativeTimes: Bool {
        switch operation {
        case .date, .time, .timestamp, .timestamptz: true
        default: false
        }
    }
}

/// What became of one value.
enum Verdict: UInt8 {
    case done
    /// A form that only the database's own input knows.
    case server
    /// Certainly not of the type.
    case syntax
    case range
    case tooLong
    case relativeTime
    /// An array is expected, or one whose rows have the same length.
    case array
    case encoding
    /// The column takes no null.
    case null
    /// A local time of day has no date, so it is no instant.
    case noDate
}

/// A value to be encoded: its bytes, and what the scanner saw.
struct FieldValue: BitwiseCopyable {
    /// A string's bytes without the quotes, or the JSON text of anything else.
    var view: ByteView
    var slot: JSONSlot
    /// Bytes that are no JSON: a key, a header, a record's value.
    var isForeign = false

    @inline(__always)
    init(_ view: ByteView, _ slot: JSONSlot) {
        self.view = view
        self.slot = slot
    }

    /// A string of characters, without escapes.
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
