/// The binary number nearest to a decimal one, which ties go to the even of, by one or two multiplications with a power
/// of five in 128 bits (Lemire, "Number Parsing at a Gigabyte per Second", 2021).
enum NearestFloat {
    /// The exponents for which 128 bits of the power are always enough. Other numbers are left to the general way.
    private static let exponents = -27...55

    /// - Returns: Nil if the number has too many digits, or an exponent that 128 bits may not be enough for.
    static func double(_ number: JSONSlot) -> Double? {
        // A tie needs a product of at most 64 bits: with 5^23 or less, or divided by 5^4 or less.
        bits(number, significandBits: 52, bias: 1023, ties: -4...23).map { bits in
            Double(bitPattern: number.isNegative ? bits | 1 << 63 : bits)
        }
    }

    /// The same for a `Float`, which isn't rounded twice.
    static func float(_ number: JSONSlot) -> Float? {
        bits(number, significandBits: 23, bias: 127, ties: -17...10).map { bits in
            Float(bitPattern: UInt32(truncatingIfNeeded: number.isNegative ? bits | 1 << 31 : bits))
        }
    }

    /// The exponent and the significand of the nearest normal number.
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
        // The lower half of the power matters only where a carry could reach the bits that are kept.
        let unkept = UInt64.max &>> UInt64(truncatingIfNeeded: significandBits &+ 3)
        if high & unkept == unkept {
            let more = digits.multipliedFullWidth(by: UInt64(truncatingIfNeeded: power)).high
            let (sum, carries) = low.addingReportingOverflow(more)
            low = sum
            if carries { high &+= 1 }
        }
        let isUpper = Int(high >> 63)
        let dropped = UInt64(truncatingIfNeeded: isUpper &+ 61 &- significandBits)
        // With one bit more than is kept.
        var significand = high &>> dropped
        // 217706 / 2^16 is the binary logarithm of ten, exact enough for these exponents.
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

    /// The first 128 bits of 5 to the power of each exponent, the highest of which is set: cut off for positive ones,
    /// which are exact, and rounded up for negative ones.
    private static let powers: [UInt128] = exponents.map { exponent in
        var power: UInt128 = 1
        for _ in 0..<exponent.magnitude { power *= 5 }
        guard exponent < 0 else { return power << UInt128(power.leadingZeroBitCount) }
        // 2^b / 5^n for the b that gives 128 bits, digit by digit: the dividend doesn't fit.
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
