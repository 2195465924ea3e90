/// Rounds a decimal number to the nearest binary one, ties to even, by one or two multiplications with a 128-bit power
/// of five (Lemire, "Number Parsing at a Gigabyte per Second", 2021).
enum NearestFloat {
    /// The exponents for which 128 bits of the power always suffice. Other numbers need the general parser.
    private static let exponents = -27...55

    /// The nearest `Double`; nil if the number has too many digits or an exponent for which 128 bits may not suffice.
    static func double(_ number: JSONSlot) -> Double? {
        // A tie needs a product of at most 64 bits: a multiplication by at most 5^23, or a division by at most 5^4.
        bits(number, significandBits: 52, bias: 1023, ties: -4...23).map { bits in
            Double(bitPattern: number.isNegative ? bits | 1 << 63 : bits)
        }
    }

    /// The nearest `Float`, without double rounding.
    static func float(_ number: JSONSlot) -> Float? {
        bits(number, significandBits: 23, bias: 127, ties: -17...10).map { bits in
            Float(bitPattern: UInt32(truncatingIfNeeded: number.isNegative ? bits | 1 << 31 : bits))
        }
    }

    /// The exponent and significand bits of the nearest normal number.
    @inline(__always)
    private static func bits(
        _ number: JSONSlot, significandBits: Int, bias: Int, ties: ClosedRange<Int>
    ) -> UInt64? {
        let exponent = Int(number.exponent)
        guard number.isShort, number.digits != 0, exponents.contains(exponent) else { return nil }
        let shift = number.digits.leadingZeroBitCount
        let digits = number.digits &<< UInt64(truncatingIfNeeded: shift)
        let power = powers[exponent &- exponents.lowerBound]
        var (high, low) = digits.multipliedFullWidth(by: UInt64(truncatingIfNeeded: power >> 64))
        // The lower half of the power matters only if a carry could reach the kept bits.
        let droppedBits = UInt64.max &>> UInt64(truncatingIfNeeded: significandBits &+ 3)
        if high & droppedBits == droppedBits {
            let more = digits.multipliedFullWidth(by: UInt64(truncatingIfNeeded: power)).high
            let (sum, carries) = low.addingReportingOverflow(more)
            low = sum
            if carries { high &+= 1 }
        }
        let isUpper = Int(high >> 63)
        let dropped = UInt64(truncatingIfNeeded: isUpper &+ 61 &- significandBits)
        // One bit more than is kept.
        var significand = high &>> dropped
        // 217706 / 2^16 approximates the binary logarithm of ten closely enough for these exponents.
        var binaryExponent = (217_706 &* exponent) >> 16 &+ 63 &+ isUpper &- shift &+ bias
        let isTie = low <= 1 && ties.contains(exponent) && significand & 3 == 1 && significand &<< dropped == high
        if !isTie { significand &+= significand & 1 }
        significand >>= 1
        if significand >> UInt64(truncatingIfNeeded: significandBits &+ 1) != 0 {
            significand >>= 1
            binaryExponent &+= 1
        }
        guard binaryExponent > 0, binaryExponent <= 2 &* bias else { return nil }
        let fraction = significand & (1 &<< UInt64(truncatingIfNeeded: significandBits) &- 1)
        return UInt64(truncatingIfNeeded: binaryExponent) &<< UInt64(truncatingIfNeeded: significandBits) | fraction
    }

    /// The 128 most significant bits of 5 to the power of each exponent, with the highest bit set. Positive powers are
    /// exact; negative ones are rounded up.
    private static let powers: [UInt128] = exponents.map { exponent in
        var power: UInt128 = 1
        for _ in 0..<exponent.magnitude { power *= 5 }
        guard exponent < 0 else { return power << UInt128(power.leadingZeroBitCount) }
        // 2^b / 5^n with the b that gives 128 bits, by long division since the dividend doesn't fit.
        var quotient: UInt128 = 0
        var rest: UInt128 = 1
        while quotient.leadingZeroBitCount > 0 {
            rest <<= 1
            quotient <<= 1
            if rest >= power {
                rest -= power
                quotient |= 1
            }
        }
        return quotient + 1
    }
}
