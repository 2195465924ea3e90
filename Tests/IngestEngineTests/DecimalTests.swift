import Foundation
import PGWire
import Testing

@testable import IngestEngine

/// The fast conversions from decimal text to binary values, compared with the general ones.
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

    /// Digits of every length, including those halfway between two floats and their neighbours.
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
        // A single expectation: one per value takes longer than the conversions, and blocks a thread that other tests
        // need.
        var wrong: [String] = []
        for _ in 0..<Self.rounds {
            let number = Self.number(
                Self.digits(&random), .random(in: -40...60, using: &random), isNegative: .random(using: &random))
            let text = "\(number.isNegative ? "-" : "")\(number.digits)e\(number.exponent)"
            if let double = NearestFloat.double(number) {
                taken += 1
                if double.bitPattern != Double(text)?.bitPattern { wrong.append(text) }
            }
            if let double = FloatInput.exact(number), double.bitPattern != Double(text)?.bitPattern {
                wrong.append(text)
            }
            if let float = FloatInput.usualFloat(number), float.bitPattern != Float(text)?.bitPattern {
                wrong.append(text)
            }
        }
        #expect(wrong.isEmpty)
        #expect(taken > Self.rounds / 2)
    }

    @Test(arguments: [
        (0, -3), (1, 30), (1, 60), (1, -28), (9_999_999_999_999_999_999, 55), (5, -324),
    ])
    func numbersOutsideTheTableAreLeftToTheGeneralParser(digits: UInt64, exponent: Int) {
        let double = NearestFloat.double(Self.number(digits, exponent))
        #expect((double == nil) == (digits == 0 || !(-27...55).contains(exponent)))
        if exponent >= 30 { #expect(NearestFloat.float(Self.number(digits, exponent + 10)) == nil) }
    }

    @Test func numericsMatchTheGeneralParser() throws {
        var random = SystemRandomNumberGenerator()
        var wrong: [String] = []
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
            if !short.prefix(count).elementsEqual(general) { wrong.append(text) }
        }
        #expect(wrong.isEmpty)
    }

    @Test func digitsWithinATextAreParsed() {
        let nesting = NestingBits()
        defer { nesting.deallocate() }
        var random = SystemRandomNumberGenerator()
        var wrong: [String] = []
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
                if end != (isWhole ? before : text).utf8.count { wrong.append(text) }
                return slot
            }
            let digits = isWhole ? before : before + after
            if slot.isShort != (digits.count <= 19) || slot.isShort && slot.digits != UInt64(digits)
                || slot.exponent != (isWhole ? 0 : -after.count)
            {
                wrong.append(text)
            }
        }
        #expect(wrong.isEmpty)
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
        let digits = Array("0189afAF".utf8)
        var wrong: [[UInt8]] = []
        for count in 0...40 {
            let usual = (0..<count).map { digits[$0 * 7 % 8] }
            for place in -1..<count {
                for other in place < 0 ? 0...0 : UInt8.min...UInt8.max {
                    var text = usual
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
                    let isRight = expected.map { bytes.prefix(max(written, 0)).elementsEqual($0) } ?? true
                    if written != expected?.count ?? -1 || !isRight || bytes.last != 0xee { wrong.append(text) }
                }
            }
        }
        #expect(wrong.isEmpty)
    }

    private static func decoded(_ text: [UInt8]) -> [UInt8]? {
        guard text.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: text.count, by: 2) {
            guard let high = value(text[index]), let low = value(text[index + 1]) else { return nil }
            bytes.append(high * 16 + low)
        }
        return bytes
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    @Test func validUTF8IsRecognised() {
        var random = SystemRandomNumberGenerator()
        let parts = ["a", "12345678", "ä", "€", "\u{1F600}", "\u{7f}", "\u{80}", "\u{d7ff}", "\u{e000}"]
        var valid = 0
        var wrong: [[UInt8]] = []
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
            if isUTF8 != expected { wrong.append(text) }
        }
        #expect(wrong.isEmpty)
        #expect(valid > 1000 && valid < 49_000)
    }
}
