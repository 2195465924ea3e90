import PGWire
import Testing

@Suite struct NumericTests {
    /// The value's 16-bit words: number of groups, weight, sign, scale, groups.
    private func words(_ text: String) throws -> [Int] {
        var buffer = CopyBuffer()
        buffer.beginRow(columns: 1)
        try buffer.append(numeric: text)
        let bytes = buffer.bytes
        let size = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: 2, as: Int32.self).bigEndian
        #expect(Int(size) == bytes.byteCount - 6)
        return stride(from: 6, to: bytes.byteCount, by: 2).map {
            unsafe Int(bytes.unsafeLoadUnaligned(fromByteOffset: $0, as: Int16.self).bigEndian)
        }
    }

    private let negative = 0x4000

    @Test func plainNumbers() throws {
        #expect(try words("0") == [0, 0, 0, 0])
        #expect(try words("-0.00") == [0, 0, 0, 2])
        #expect(try words("1") == [1, 0, 0, 0, 1])
        #expect(try words("+1") == [1, 0, 0, 0, 1])
        #expect(try words("007") == [1, 0, 0, 0, 7])
        #expect(try words("9999") == [1, 0, 0, 0, 9999])
        #expect(try words("10000") == [1, 1, 0, 0, 1])
        #expect(try words("12345678") == [2, 1, 0, 0, 1234, 5678])
        #expect(try words("-12345.678") == [3, 1, negative, 3, 1, 2345, 6780])
        #expect(try words("0.1") == [1, -1, 0, 1, 1000])
        #expect(try words(".5") == [1, -1, 0, 1, 5000])
        #expect(try words("5.") == [1, 0, 0, 0, 5])
        #expect(try words("0.00001") == [1, -2, 0, 5, 1000])
        #expect(try words("1.50") == [2, 0, 0, 2, 1, 5000])
    }

    @Test func exponents() throws {
        #expect(try words("1.5e3") == [1, 0, 0, 0, 1500])
        #expect(try words("1E+4") == [1, 1, 0, 0, 1])
        #expect(try words("1e-3") == [1, -1, 0, 3, 10])
        #expect(try words("123e-5") == [2, -1, 0, 5, 12, 3000])
        #expect(try words("1e131071") == [1, 32_767, 0, 0, 1000])
        #expect(try words("1e-16383") == [1, -4096, 0, 16_383, 10])
        #expect(try words("0e999999999999") == [0, 0, 0, 0])
    }

    @Test func specialValues() throws {
        #expect(try words("NaN") == [0, 0, Int(Int16(bitPattern: 0xc000)), 0])
        #expect(try words("Infinity") == [0, 0, Int(Int16(bitPattern: 0xd000)), 0])
        #expect(try words("-inf") == [0, 0, Int(Int16(bitPattern: 0xf000)), 0])
    }

    @Test(arguments: [
        "", " ", "-", ".", "+.", "abc", "1,5", "1.2.3", "1e", "1e+", "e5", "0x10", "1 ", " 1", "--1", "-nan", "1e1.5",
        "١", "1e99999999999999999999x",
    ])
    func notANumber(_ text: String) {
        #expect(throws: NumericError.notANumber) { try words(text) }
    }

    @Test(arguments: ["1e131072", "1e-16384", "1e99999999999999999999", "0.1e-99999999999999999999"])
    func outOfRange(_ text: String) {
        #expect(throws: NumericError.outOfRange) { try words(text) }
    }

    @Test func anErrorAppendsNothing() {
        var buffer = CopyBuffer()
        buffer.beginRow(columns: 1)
        #expect(throws: NumericError.notANumber) { try buffer.append(numeric: "one") }
        let (size, isOpen) = (buffer.byteCount, buffer.hasOpenRow)
        #expect(size == 2 && isOpen)
    }
}
