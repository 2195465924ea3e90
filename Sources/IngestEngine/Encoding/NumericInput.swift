import PGWire

/// Encodes `numeric` from decimal text without losing a digit.
///
/// The server rounds to the column's scale on receipt. A value that exceeds the column's precision would fail the
/// whole COPY, so it is rejected here.
enum NumericInput {
    /// Appends a number.
    ///
    /// - Parameters:
    ///   - text: `[+-]digits[.digits][e[+-]digits]`.
    ///   - step: The column's precision and scale.
    static func append(
        _ text: ByteView, _ number: JSONSlot, _ step: ColumnStep, to rows: inout CopyBuffer
    ) -> Verdict {
        guard number.isShort, fits(number, step) else { return appendLong(text, step, to: &rows) }
        unsafe rows.appendField(atMost: maximumSize) { target in unsafe write(number, to: target) }
        return .done
    }

    /// Whether a number of at most 19 digits certainly fits.
    @inline(__always)
    static func fits(_ number: JSONSlot, _ step: ColumnStep) -> Bool {
        // Rounding can add one digit.
        step.limit == 0 || number.digits == 0
            || decimalDigits(number.digits) &+ Int(number.exponent) < Int(step.limit &- step.scale)
    }

    /// The most bytes that ``write(_:to:)`` writes: four header fields and six groups of digits.
    static let maximumSize = 8 + 6 * 2

    private static func decimalDigits(_ number: UInt64) -> Int {
        var count = 1
        var power: UInt64 = 10
        // At most 19 digits, so the power stays below 2^64.
        while number >= power {
            count &+= 1
            power &*= 10
        }
        return count
    }

    /// Writes a number of at most 19 digits in the binary form of `numeric_send`.
    ///
    /// - Returns: The number of bytes written.
    static func write(_ number: JSONSlot, to target: UnsafeMutableRawPointer) -> Int {
        let exponent = Int(number.exponent)
        // A group has four digits, so the last group's power of ten is a multiple of four. This many digits align it.
        let shift = exponent & 3
        let powers: InlineArray<5, UInt64> = [1, 10, 100, 1000, 10_000]
        let (others, digits) = number.digits.quotientAndRemainder(dividingBy: powers[4 &- shift])
        var last = (exponent &- shift) / 4
        var group = digits &* powers[shift]
        var rest = others
        // Omit trailing groups of zeros.
        while group == 0, rest > 0 {
            group = rest % 10_000
            rest /= 10_000
            last &+= 1
        }
        var groups = InlineArray<6, UInt16>(repeating: 0)
        var count = 0
        while group > 0 || rest > 0 {
            groups[count] = UInt16(truncatingIfNeeded: group)
            group = rest % 10_000
            rest /= 10_000
            count &+= 1
        }
        let weight = count == 0 ? 0 : last &+ count &- 1
        let sign: UInt16 = number.isNegative && count > 0 ? 0x4000 : 0
        func put(_ value: UInt16, _ offset: Int) {
            unsafe target.storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt16.self)
        }
        put(UInt16(truncatingIfNeeded: count), 0)
        put(UInt16(bitPattern: Int16(truncatingIfNeeded: weight)), 2)
        put(sign, 4)
        put(UInt16(truncatingIfNeeded: max(0, 0 &- exponent)), 6)
        for index in 0..<count { put(groups[count &- 1 &- index], 8 &+ 2 &* index) }
        return 8 &+ 2 &* count
    }

    @inline(never)
    private static func appendLong(_ text: ByteView, _ step: ColumnStep, to rows: inout CopyBuffer) -> Verdict {
        if step.limit > 0 {
            let verdict = check(text, step)
            guard verdict == .done else { return verdict }
        }
        do throws(NumericError) {
            // The text outlives the call.
            try rows.append(numeric: unsafe RawSpan(_unsafeBytes: text.bytes))
            return .done
        } catch {
            // With a scale the server rounds first, so the number may be in range.
            return error == .outOfRange && step.limit == 0 ? .range : .server
        }
    }

    /// Whether decimal text fits a precision and scale.
    private static func check(_ text: ByteView, _ step: ColumnStep) -> Verdict {
        var integerDigits = 0
        var leading: UInt8 = 0
        var hasPoint = false
        for index in 0..<text.count {
            let byte = text[index]
            switch byte {
            case UInt8(ascii: "."): hasPoint = true
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                if leading == 0 {
                    if byte != UInt8(ascii: "0") { leading = byte } else if hasPoint { integerDigits -= 1 }
                }
                if leading != 0, !hasPoint { integerDigits += 1 }
            case UInt8(ascii: "e"), UInt8(ascii: "E"):
                // The server rejects numbers with larger exponents. Their sum with the digits could overflow here.
                guard let power = Int(text.slice(index + 1, text.count - index - 1).string),
                    (-1_000_000...1_000_000).contains(power)
                else { return .server }
                return verdict(leading, integerDigits + power, step)
            default: break
            }
        }
        return verdict(leading, integerDigits, step)
    }

    /// - Parameters:
    ///   - leading: The first nonzero digit; 0 for the number zero.
    ///   - digits: The number of digits before the decimal point, from the first nonzero one; negative for zeros after
    ///     the point.
    private static func verdict(_ leading: UInt8, _ digits: Int, _ step: ColumnStep) -> Verdict {
        guard leading != 0 else { return .done }
        let most = Int(step.limit &- step.scale)
        if digits > most { return .range }
        // Rounding up adds a digit only if all digits are nines.
        return digits == most && leading == UInt8(ascii: "9") ? .server : .done
    }
}
