/// What a JSON value is, by its first byte.
enum JSONKind: UInt8 {
    case string, number, `true`, `false`, null, object, array
}

/// Where a value lies in its message, and what the scanner saw on the way.
struct JSONSlot: BitwiseCopyable {
    /// A string's bytes are those between the quotes.
    var offset: UInt32 = 0
    var length: UInt32 = 0
    /// The message that the slot was filled for. Any other number means that the message lacks the value.
    var generation: UInt32 = 0
    var kind = JSONKind.null
    /// A string: an escape is among its bytes.
    var hasEscapes = false
    /// A number: its digits and decimal exponent are in `digits` and `exponent`, because they are few enough.
    var isShort = false
    /// A number: without fraction and exponent.
    var isInteger = false
    /// A number of at most 19 digits: all digits as one number, without the sign.
    var digits: UInt64 = 0
    /// The power of ten of the last digit.
    var exponent: Int16 = 0
    var isNegative = false
}
