/// Parses `real` and `double precision` from decimal text: correctly rounded, with the server's range errors.
enum FloatInput {
    /// The powers of ten that a Double represents exactly.
    static let powers: InlineArray<23, Double> = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ]

    /// The value of a number with few digits and a small power of ten, by one exact operation (Clinger, 1990); nil if
    /// it isn't such a number.
    @inline(__always)
    static func exact(_ number: JSONSlot) -> Double? {
        guard number.isShort, number.digits <= 1 << 53 else { return nil }
        let exponent = Int(number.exponent)
        guard exponent >= -22, exponent <= 22 else { return nil }
        let digits = Double(number.digits)
        let magnitude = exponent < 0 ? digits / powers[0 &- exponent] : digits * powers[exponent]
        return number.isNegative ? -magnitude : magnitude
    }

    /// The value of a number with at most 19 digits and a common power of ten; nil otherwise.
    @inline(__always)
    static func usualDouble(_ number: JSONSlot) -> Double? { exact(number) ?? NearestFloat.double(number) }

    /// The same for `real`.
    @inline(__always)
    static func usualFloat(_ number: JSONSlot) -> Float? {
        if number.isShort, number.digits == 0 { return number.isNegative ? -0.0 : 0 }
        return NearestFloat.float(number)
    }

    /// Parses a number with any digits and exponent.
    ///
    /// - Parameter text: `[+-]digits[.digits][e[+-]digits]`.
    @inline(__always)
    static func double(_ text: ByteView, _ number: JSONSlot, _ value: inout Double) -> Verdict {
        if let usual = usualDouble(number) {
            value = usual
            return .done
        }
        return slowDouble(text, &value)
    }

    @inline(never)
    private static func slowDouble(_ text: ByteView, _ value: inout Double) -> Verdict {
        guard let parsed = Double(text.string) else { return .server }
        value = parsed
        return check(isZero: parsed == 0, isInfinite: parsed.isInfinite, text)
    }

    /// Parses a `real`.
    ///
    /// - Parameter text: As for ``double(_:_:_:)``.
    static func float(_ text: ByteView, _ number: JSONSlot, _ value: inout Float) -> Verdict {
        if let usual = usualFloat(number) {
            value = usual
            return .done
        }
        guard let parsed = Float(text.string) else { return .server }
        value = parsed
        return check(isZero: parsed == 0, isInfinite: parsed.isInfinite, text)
    }

    /// Returns `.range` for an infinite result, and for a nonzero number that rounds to zero.
    private static func check(isZero: Bool, isInfinite: Bool, _ text: ByteView) -> Verdict {
        if isInfinite { return .range }
        guard isZero else { return .done }
        for index in 0..<text.count {
            switch text[index] {
            case UInt8(ascii: "1")...UInt8(ascii: "9"): return .range
            case UInt8(ascii: "e"), UInt8(ascii: "E"): return .done
            default: break
            }
        }
        return .done
    }
}
