/// The type of a JSON value, by its first byte.
enum JSONKind: UInt8 {
    case string, number, `true`, `false`, null, object, array
}

/// A value's position in its message, and properties that the scanner found.
struct JSONSlot: BitwiseCopyable {
    /// The position of the value; for a string that of the byte after the opening quote.
    var offset: UInt32 = 0
    var length: UInt32 = 0
    /// The generation of the message for which the slot was filled. If it isn't the current one, the message lacks the
    /// value.
    var generation: UInt32 = 0
    var kind = JSONKind.null
    /// For strings: whether they have escapes.
    var hasEscapes = false
    /// For numbers: whether `digits` and `exponent` hold the exact value, because it has few enough digits.
    var isShort = false
    /// For numbers: whether they have neither fraction nor exponent.
    var isInteger = false
    /// For short numbers: all digits as one number, without the sign.
    var digits: UInt64 = 0
    /// The power of ten of the last digit.
    var exponent: Int16 = 0
    var isNegative = false
}
