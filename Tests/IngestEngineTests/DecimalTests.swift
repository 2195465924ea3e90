import Foundation
import PGWire
import Testing

@testable import IngestEngine

/// The short ways from decimal text to binary values, compared with the general ones.
@Suite("Decimal numbers")
struct DecimalTests {
    static let rounds = (ProcessInfo.processInfo.environment["TFI_LONG_TESTS"] ?? "").isEmpty ? 100_000 : 2_000_000

    static func number(_ digits: UInt64, _ exponent: Int, isNegative: Bool = false) -> JSONSlot {
        var slot = JSONSlot()
        slot.kind = .number
        slot.isShort = true
        (slot.digits, slot.exponent, slot.isNegative) = (digits, Int16(exponent), isNegative)
        return slot
    }

    /// Digits of every length, those in the middle of two floats and their neighbours among them.
    static func digits(_ random: inout some RandomNumberGenerator) -> UInt64 {
        let any =
            UInt64.random(in: 0...9_999_999_999_999_999_999, using: &random)
            >> UInt64.random(in: 0..<64, using: &random)
        guard Bool.random(using: &random) else { return any }
        let bits = [24, 25, 53, 54].randomElement(using: &random) ?? 53
        let odd = (UInt64.random(in: 0..<1 << (bits - 1), using: &random) | 1 << (bits - 1)) << 1 | 1
        let shifted = odd << UInt64.random(in: 0..<8, using: &random)
        return min(shifted &+ UInt64.random(in: 0...2, using: &random) &- 1, 9_999_999_999_999_999_999)
    }

    @Test func floatsAreTheNearestOnes() {
        var random = SystemRandomNumberGenerator()
        var taken = 0
        for _ in 0..<Self.rounds {
            let number = Self.number(
                Self.digits(&random), .random(in: -40...60, using: &random), isNegative: .random(using: &random))
            let text = "\(number.isNegative ? "-" : "")\(number.digits)e\(number.exponent)"
            if let double = NearestFloat.double(number) {
                taken += 1
                #expect(double.bitPattern == Double(text)?.bitPattern, "\(text)")
            }
            if let double = FloatInput.exact(number) {
                #expect(double.bitPattern == Double(text)?.bitPattern, "\(text)")
            }
            if let float = FloatInput.usualFloat(number) {
                #expect(float.bitPattern == Float(text)?.bitPattern, "\(text)")
            }
        }
        #expect(taken > Self.rounds / 2)
    }

    @Test(arguments: [
        (0, -3), (1, 30), (1, 60), (1, -28), (9_999_999_999_999_999_999, 55), (5, -324),
    ])
    func numbersOutsideTheTableAreLeftToTheGeneralWay(digits: UInt64, exponent: Int) {
        let double = NearestFloat.double(Self.number(digits, exponent))
        #expect((double == nil) == (digits == 0 || !(-27...55).contains(exponent)))
        if exponent >= 30 { #expect(NearestFloat.float(Self.number(digits, exponent + 10)) == nil) }
    }

    @Test func numericsAreTheSameAsByTheGeneralWay() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<Self.rounds / 10 {
            let number = Self.number(
                Self.digits(&random), .random(in: -30...30, using: &random), isNegative: .random(using: &random))
            var short = [UInt8](repeating: 0, count: NumericInput.maximumSize)
            let count = unsafe short.withUnsafeMutableBytes { target in
                // The array isn't empty.
                unsafe target.baseAddress.map { unsafe NumericInput.write(number, to: $0) } ?? 0
            }
            let text = "\(number.isNegative ? "-" : "")\(number.digits)e\(number.exponent)"
            var rows = CopyBuffer()
            rows.beginRow(columns: 1)
            try rows.append(numeric: text)
            let general = unsafe rows.bytes.withUnsafeBytes { unsafe Array($0.dropFirst(6)) }
            #expect(Array(short.prefix(count)) == general, "\(text)")
        }
    }

    @Test func digitsInTheMiddleOfATextAreRead() {
        let nesting = NestingBits()
        defer { nesting.deallocate() }
        var random = SystemRandomNumberGenerator()
        for _ in 0..<10_000 {
            let before = String(Self.digits(&random))
            let after = String(Self.digits(&random))
            let text = "\(before).\(after)"
            let isWhole = Bool.random(using: &random)
            let message =
                Array((isWhole ? before : text).utf8) + Array(([",", "", "}, \"seven\""].randomElement() ?? "").utf8)
            let slot = unsafe message.withUnsafeBytes { bytes in
                // The message isn't empty.
                var scanner = JSONScanner(
                    unsafe ByteView(bytes.baseAddress.unsafelyUnwrapped, bytes.count), nesting: nesting)
                var slot = JSONSlot()
                let end = scanner.number(at: 0, into: &slot)
                #expect(end == (isWhole ? before : text).utf8.count)
                return slot
            }
            let digits = isWhole ? before : before + after
            #expect(slot.isShort == (digits.count <= 19))
            if slot.isShort { #expect(slot.digits == UInt64(digits)) }
            #expect(slot.exponent == (isWhole ? 0 : -after.count))
        }
    }
}

@Suite("Bytes of texts")
struct TextBytesTests {
    @Test func namesAreComparedByTheirBytes() {
        let (composed, decomposed) = ("\u{e9}", "e\u{301}")
        #expect(composed == decomposed)
        for (name, isSame) in [(composed, true), (decomposed, false), ("", false), ("e", false)] {
            let bytes = Array(name.utf8)
            let spellsComposed = unsafe bytes.span.bytes.spells(composed)
            let spellsItself = unsafe bytes.span.bytes.spells(name)
            #expect(spellsComposed == isSame && spellsItself)
        }
    }

    @Test func hexadecimalDigitsAreDecoded() {
        for count in 0...40 {
            for place in -1..<count {
                for other in place < 0 ? [0] : Array(UInt8.min...UInt8.max) {
                    var text = (0..<count).map { Array("0189afAF".utf8)[$0 * 7 % 8] }
                    if place >= 0 { text[place] = other }
                    let expected = Self.decoded(text)
                    var bytes = [UInt8](repeating: 0xee, count: count / 2 + 1)
                    let written = unsafe bytes.withUnsafeMutableBytes { target in
                        unsafe text.withUnsafeBytes { source in
                            // The target isn't empty.
                            guard let base = target.baseAddress else { return -2 }
                            let view = unsafe source.baseAddress.map { unsafe ByteView($0, source.count) } ?? .empty
                            return unsafe HexDigits.decode(view, to: base)
                        }
                    }
                    #expect(written == expected?.count ?? -1)
                    if let expected { #expect(Array(bytes.prefix(written)) == expected) }
                    #expect(bytes.last == 0xee)
                }
            }
        }
    }

    private static func decoded(_ text: [UInt8]) -> [UInt8]? {
        guard text.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: text.count, by: 2) {
            let pair = String(decoding: text[index..<index + 2], as: UTF8.self)
            guard pair.allSatisfy(\.isHexDigit), let byte = UInt8(pair, radix: 16) else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    @Test func textsOfUTF8AreTold() {
        var random = SystemRandomNumberGenerator()
        let parts = ["a", "12345678", "ä", "€", "\u{1F600}", "\u{7f}", "\u{80}", "\u{d7ff}", "\u{e000}"]
        var valid = 0
        for _ in 0..<50_000 {
            var text = (0..<Int.random(in: 0..<12, using: &random)).flatMap { _ in
                Array((parts.randomElement(using: &random) ?? "").utf8)
            }
            if !text.isEmpty {
                let place = Int.random(in: 0..<text.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: text[place] = .random(in: 0...255, using: &random)
                case 1: text.remove(at: place)
                case 2: text.removeSubrange(place...)
                default: break
                }
            }
            let expected = String(validating: text, as: UTF8.self) != nil
            valid += expected ? 1 : 0
            let isUTF8 = unsafe text.withUnsafeBytes { bytes in
                unsafe bytes.baseAddress.map { unsafe ByteView($0, bytes.count).isUTF8 } ?? true
            }
            #expect(isUTF8 == expected, "\(text)")
        }
        #expect(valid > 1000 && valid < 49_000)
    }
}
