import Testing

@testable import PGWire

/// The buffer's bytes, compared with bytes written by hand from the manual.
@Suite struct CopyBufferTests {
    private func bytes(_ buffer: borrowing CopyBuffer) -> [UInt8] {
        let bytes = buffer.bytes
        return bytes.byteOffsets.map { unsafe bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
    }

    /// The visible state except the bytes.
    private struct Shape: Equatable {
        var bytes: Int
        var rows: Int
        var isOpen: Bool
    }

    private func shape(_ buffer: borrowing CopyBuffer) -> Shape {
        Shape(bytes: buffer.byteCount, rows: buffer.rowCount, isOpen: buffer.hasOpenRow)
    }

    /// The bytes of a row with one column, without its column count.
    private func field(_ append: (inout CopyBuffer) throws -> Void) rethrows -> [UInt8] {
        var buffer = CopyBuffer()
        buffer.beginRow(columns: 1)
        try append(&buffer)
        #expect(!shape(buffer).isOpen)
        let row = bytes(buffer)
        #expect(Array(row.prefix(2)) == [0, 1])
        return Array(row.dropFirst(2))
    }

    @Test func integers() {
        #expect(field { $0.append(int2: .min) } == [0, 0, 0, 2, 0x80, 0])
        #expect(field { $0.append(int2: .max) } == [0, 0, 0, 2, 0x7f, 0xff])
        #expect(field { $0.append(int4: 1) } == [0, 0, 0, 4, 0, 0, 0, 1])
        #expect(field { $0.append(int4: .min) } == [0, 0, 0, 4, 0x80, 0, 0, 0])
        #expect(field { $0.append(int4: -1) } == [0, 0, 0, 4, 0xff, 0xff, 0xff, 0xff])
        #expect(field { $0.append(int8: .max) } == [0, 0, 0, 8, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])
        #expect(field { $0.append(int8: 0x0102_0304_0506_0708) } == [0, 0, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8])
    }

    @Test func booleansAndNull() {
        #expect(field { $0.append(bool: true) } == [0, 0, 0, 1, 1])
        #expect(field { $0.append(bool: false) } == [0, 0, 0, 1, 0])
        #expect(field { $0.appendNull() } == [0xff, 0xff, 0xff, 0xff])
    }

    @Test func floats() {
        #expect(field { $0.append(float4: 1) } == [0, 0, 0, 4, 0x3f, 0x80, 0, 0])
        #expect(field { $0.append(float4: .nan) } == [0, 0, 0, 4, 0x7f, 0xc0, 0, 0])
        #expect(field { $0.append(float8: -2) } == [0, 0, 0, 8, 0xc0, 0, 0, 0, 0, 0, 0, 0])
        #expect(field { $0.append(float8: .infinity) } == [0, 0, 0, 8, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0])
        #expect(field { $0.append(float8: .nan) } == [0, 0, 0, 8, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0])
    }

    @Test func times() {
        #expect(field { $0.append(timestamp: 1) } == [0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 1])
        #expect(field { $0.append(timestamptz: -1) } == [0, 0, 0, 8] + [UInt8](repeating: 0xff, count: 8))
        #expect(field { $0.append(date: 366) } == [0, 0, 0, 4, 0, 0, 1, 0x6e])
        #expect(field { $0.append(date: .max) } == [0, 0, 0, 4, 0x7f, 0xff, 0xff, 0xff])
    }

    @Test func identifiersAndBytes() {
        #expect(
            field { $0.append(uuidHigh: 0x0011_2233_4455_6677, low: 0x8899_aabb_ccdd_eeff) }
                == [0, 0, 0, 16] + (0...15).map { UInt8($0 * 0x11) })
        let raw: [UInt8] = [0, 0xff, 0x80]
        #expect(field { unsafe $0.append(bytea: raw.span.bytes) } == [0, 0, 0, 3, 0, 0xff, 0x80])
        let none: [UInt8] = []
        #expect(field { unsafe $0.append(bytea: none.span.bytes) } == [0, 0, 0, 0])
    }

    @Test func text() {
        #expect(field { $0.append(text: "") } == [0, 0, 0, 0])
        #expect(field { $0.append(text: "é") } == [0, 0, 0, 2, 0xc3, 0xa9])
        #expect(field { $0.append(jsonb: "{}") } == [0, 0, 0, 3, 1, 0x7b, 0x7d])
        let long = String(repeating: "x", count: 70_000)
        #expect(field { $0.append(text: long) } == [0, 1, 0x11, 0x70] + [UInt8](repeating: 0x78, count: 70_000))
    }

    @Test(arguments: [
        (Array("plain".utf8), true), (Array("Ünïcode 🏭".utf8), true), ([], true), ([0x61, 0, 0x62], false),
        ([0xc3], false), ([0xed, 0xa0, 0x80], false), ([0xff], false),
    ])
    func storableText(_ bytes: [UInt8], _ isStorable: Bool) {
        #expect(unsafe PostgresText.isStorable(bytes.span.bytes) == isStorable)
    }

    // MARK: Rows

    @Test func rowsCount() {
        var buffer = CopyBuffer(minimumCapacity: 3)
        #expect(shape(buffer) == Shape(bytes: 0, rows: 0, isOpen: false))
        for value in 0..<1000 {
            buffer.beginRow(columns: 2, reserving: 16)
            buffer.append(int4: Int32(value))
            #expect(shape(buffer).isOpen)
            buffer.append(int4: Int32(-value))
        }
        #expect(shape(buffer) == Shape(bytes: 18_000, rows: 1000, isOpen: false))
        let all = bytes(buffer)
        let last: [UInt8] = [0, 2, 0, 0, 0, 4, 0, 0, 3, 0xe7, 0, 0, 0, 4, 0xff, 0xff, 0xfc, 0x19]
        #expect(Array(all.suffix(18)) == last)
        #expect(Array(all.prefix(10)) == [0, 2, 0, 0, 0, 4, 0, 0, 0, 0])
        buffer.removeAll(keepingCapacity: true)
        #expect(shape(buffer) == Shape(bytes: 0, rows: 0, isOpen: false))
        buffer.removeAll(keepingCapacity: false)
        buffer.beginRow(columns: 1)
        buffer.append(bool: true)
        #expect(bytes(buffer) == [0, 1, 0, 0, 0, 1, 1])
    }

    @Test func rollsBackHalfARow() {
        var buffer = CopyBuffer()
        buffer.beginRow(columns: 1)
        buffer.append(int2: 7)
        let before = bytes(buffer)
        let mark = buffer.mark()
        buffer.beginRow(columns: 3)
        buffer.append(text: String(repeating: "long", count: 4000))
        #expect(shape(buffer) == Shape(bytes: 8 + 2 + 4 + 16_000, rows: 2, isOpen: true))
        buffer.rollback(to: mark)
        #expect(bytes(buffer) == before)
        #expect(shape(buffer) == Shape(bytes: 8, rows: 1, isOpen: false))
    }

    @Test func fixedRow() {
        var byValue = CopyBuffer()
        byValue.beginRow(columns: 10)
        byValue.append(int4: 5)
        byValue.append(int8: -9)
        byValue.append(bool: true)
        byValue.append(int2: .min)
        byValue.append(float4: 1.5)
        byValue.append(float8: -.infinity)
        byValue.append(timestamp: 17)
        byValue.append(date: -1)
        byValue.append(uuidHigh: 1, low: 2)
        byValue.appendNull()
        var whole = CopyBuffer()
        whole.appendFixedRow(columns: 10, byteCount: 95) { row in
            row.append(int4: 5)
            row.append(int8: -9)
            row.append(bool: true)
            row.append(int2: .min)
            row.append(float4: 1.5)
            row.append(float8: -.infinity)
            row.append(timestamp: 17)
            row.append(date: -1)
            row.append(uuidHigh: 1, low: 2)
            row.appendNull()
        }
        #expect(bytes(whole) == bytes(byValue))
        #expect(shape(whole) == shape(byValue))
    }

    @Test func fixedRowThatThrowsLeavesNothing() {
        struct Wrong: Error {}
        var buffer = CopyBuffer()
        do {
            try buffer.appendFixedRow(columns: 1, byteCount: 8) { row in
                row.append(int2: 4)
                throw Wrong()
            }
            Issue.record("the error is lost")
        } catch { #expect(error is Wrong) }
        #expect(shape(buffer) == Shape(bytes: 0, rows: 0, isOpen: false))
    }

    // MARK: Times

    @Test func epochConversion() {
        #expect(PostgresTime.microseconds(millisecondsSinceUnixEpoch: 946_684_800_001) == 1000)
        #expect(PostgresTime.microseconds(millisecondsSinceUnixEpoch: 0) == -946_684_800_000_000)
        #expect(PostgresTime.microseconds(millisecondsSinceUnixEpoch: .max) == nil)
        #expect(PostgresTime.microseconds(millisecondsSinceUnixEpoch: .min) == nil)
        #expect(PostgresTime.microseconds(sinceUnixEpoch: 946_684_800_000_000) == 0)
        #expect(PostgresTime.microseconds(sinceUnixEpoch: .min) == nil)
        #expect(PostgresTime.microseconds(sinceUnixEpoch: .max) == Int64.max - 946_684_800_000_000)
        #expect(PostgresTime.days(sinceUnixEpoch: 10_957) == 0)
        #expect(PostgresTime.days(sinceUnixEpoch: .min) == nil)
    }

    @Test func theIndexHasTheStartOfEachRow() {
        var buffer = CopyBuffer()
        #expect(CopyRowIndex(buffer).rowCount == 0)
        #expect(CopyRowIndex(buffer).bytes(of: 0..<0) == 0..<0)
        for row in 0..<3 {
            buffer.beginRow(columns: 3)
            buffer.append(int4: Int32(row))
            buffer.appendNull()
            buffer.append(text: String(repeating: "x", count: row * 200))
        }
        let index = CopyRowIndex(buffer)
        #expect(index.rowCount == 3)
        #expect(index.bytes(of: 0..<3) == 0..<buffer.byteCount)
        #expect(index.bytes(of: 0..<1) == 0..<18)
        #expect(index.bytes(of: 1..<3) == 18..<buffer.byteCount)
        #expect(index.bytes(of: 2..<2) == 236..<236)
        #expect(index.bytes(of: 2..<4) == nil)
    }
}
