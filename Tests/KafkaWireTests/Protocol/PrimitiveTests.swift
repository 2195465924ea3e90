import KafkaWire
import Testing

/// Compares the primitive types with handwritten bytes from the protocol guide.
@Suite("Primitive types")
struct PrimitiveTests {
    private func written(isFlexible: Bool = false, _ write: (inout WireWriter) -> Void) throws -> [UInt8] {
        var writer = WireWriter(isFlexible: isFlexible)
        write(&writer)
        return try writer.finish()
    }

    private func read<Value>(
        _ bytes: [UInt8], isFlexible: Bool = false, _ read: (inout WireReader) -> Value
    ) throws(ProtocolError) -> Value {
        var reader = WireReader(ByteSlice(bytes), isFlexible: isFlexible)
        let value = read(&reader)
        try reader.finish()
        return value
    }

    @Test("Integers are big endian, and bool is 0 or not")
    func fixedWidth() throws {
        let bytes: [UInt8] = [
            0xfe, 0x01, 0x02, 0x80, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0x01,
            0xff, 0xfe, 0xff, 0xff, 0xff, 0xfd, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0,
        ]
        let result = try written {
            $0.int8(-2)
            $0.int16(0x0102)
            $0.int32(.min)
            $0.int64(-2)
            $0.bool(true)
            $0.uint16(0xfffe)
            $0.uint32(0xffff_fffd)
            $0.float64(1.5)
        }
        #expect(result == bytes)
        var reader = WireReader(ByteSlice(bytes), isFlexible: false)
        #expect(reader.int8() == -2)
        #expect(reader.int16() == 0x0102)
        #expect(reader.int32() == .min)
        #expect(reader.int64() == -2)
        #expect(reader.bool() == true)
        #expect(reader.uint16() == 0xfffe)
        #expect(reader.uint32() == 0xffff_fffd)
        #expect(reader.float64() == 1.5)
        try reader.finish()
        #expect(try read([7], { $0.bool() }))
    }

    @Test(
        "Variable-length integers",
        arguments: [
            (0, [0x00]), (1, [0x01]), (0x7f, [0x7f]), (0x80, [0x80, 0x01]), (300, [0xac, 0x02]),
            (0x3fff, [0xff, 0x7f]), (0x4000, [0x80, 0x80, 0x01]), (0x1f_ffff, [0xff, 0xff, 0x7f]),
            (0x20_0000, [0x80, 0x80, 0x80, 0x01]), (0x0fff_ffff, [0xff, 0xff, 0xff, 0x7f]),
            (0x1000_0000, [0x80, 0x80, 0x80, 0x80, 0x01]), (.max, [0xff, 0xff, 0xff, 0xff, 0x0f]),
        ] as [(UInt32, [UInt8])])
    func varints(number: UInt32, bytes: [UInt8]) throws {
        #expect(try written { $0.unsignedVarint(number) } == bytes)
        #expect(try read(bytes) { $0.unsignedVarint() } == number)
        for length in 0..<bytes.count {
            #expect(throws: ProtocolError.self) { try read(Array(bytes[..<length])) { $0.unsignedVarint() } }
        }
    }

    @Test("A variable-length integer of more than 32 bits, or of six bytes, is an error")
    func longVarints() {
        for bytes: [UInt8] in [
            [0xff, 0xff, 0xff, 0xff, 0x10], [0x80, 0x80, 0x80, 0x80, 0x80, 0x00], [0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
        ] {
            #expect(throws: ProtocolError.self) { try read(bytes) { $0.unsignedVarint() } }
        }
    }

    @Test(
        "Strings: null, empty, ASCII, UTF-8",
        arguments: [
            (nil, [0xff, 0xff], [0x00]), ("", [0x00, 0x00], [0x01]),
            ("ab", [0x00, 0x02, 0x61, 0x62], [0x03, 0x61, 0x62]),
            ("é", [0x00, 0x02, 0xc3, 0xa9], [0x03, 0xc3, 0xa9]),
        ] as [(String?, [UInt8], [UInt8])])
    func strings(text: String?, plain: [UInt8], compact: [UInt8]) throws {
        for (bytes, isFlexible) in [(plain, false), (compact, true)] {
            #expect(try written(isFlexible: isFlexible) { $0.nullableString(text) } == bytes)
            #expect(try read(bytes, isFlexible: isFlexible) { $0.nullableString() } == text)
            if let text {
                #expect(try written(isFlexible: isFlexible) { $0.string(text) } == bytes)
                #expect(try read(bytes, isFlexible: isFlexible) { $0.string() } == text)
            } else {
                #expect(throws: ProtocolError.self) { try read(bytes, isFlexible: isFlexible) { $0.string() } }
                #expect(throws: ProtocolError.self) {
                    try written(isFlexible: isFlexible) { $0.nullableString(nil, isNullable: false) }
                }
            }
        }
    }

    @Test("A string that isn't UTF-8, or has an invalid length, is an error")
    func badStrings() {
        for (bytes, isFlexible): ([UInt8], Bool) in [
            ([0x00, 0x01, 0xff], false), ([0x02, 0xc3], true), ([0xff, 0xfe], false), ([0x80, 0x00], false),
            ([0x00, 0x03, 0x61, 0x62], false), ([0x04, 0x61, 0x62], true), ([0x7f, 0xff, 0x61], false),
            ([0xff, 0xff, 0xff, 0xff, 0x0f, 0x61], true), ([0x00], false), ([], true),
        ] {
            #expect(throws: ProtocolError.self, "\(bytes)") {
                try read(bytes, isFlexible: isFlexible) { $0.nullableString() }
            }
        }
    }

    @Test("A string longer than 32767 bytes can't be encoded")
    func longString() throws {
        for isFlexible in [false, true] {
            #expect(throws: ProtocolError.self) {
                try written(isFlexible: isFlexible) { $0.string(String(repeating: "x", count: 32_768)) }
            }
            let longest = String(repeating: "x", count: 32_767)
            let bytes = try written(isFlexible: isFlexible) { $0.string(longest) }
            #expect(try read(bytes, isFlexible: isFlexible) { $0.string() } == longest)
        }
    }

    @Test(
        "Byte fields: null, empty, full",
        arguments: [
            (nil, [0xff, 0xff, 0xff, 0xff], [0x00]), ([], [0, 0, 0, 0], [0x01]),
            ([7, 8], [0, 0, 0, 2, 7, 8], [0x03, 7, 8]),
        ] as [([UInt8]?, [UInt8], [UInt8])])
    func byteFields(content: [UInt8]?, plain: [UInt8], compact: [UInt8]) throws {
        for (bytes, isFlexible) in [(plain, false), (compact, true)] {
            let slice = content.map { ByteSlice($0) }
            #expect(try written(isFlexible: isFlexible) { $0.nullableBytes(slice) } == bytes)
            #expect(try read(bytes, isFlexible: isFlexible) { $0.nullableBytes() } == slice)
            if content == nil {
                #expect(throws: ProtocolError.self) { try read(bytes, isFlexible: isFlexible) { $0.byteField() } }
            }
        }
    }

    @Test("A byte field shares the frame's memory")
    func byteFieldIsSlice() {
        let frame = ByteSlice([0, 0, 0, 3, 1, 2, 3])
        var reader = WireReader(frame, isFlexible: false)
        let field = reader.nullableBytes()
        #expect(field?.storage === frame.storage)
        #expect(field?.range == 4..<7)
    }

    @Test(
        "Arrays: null, empty, full",
        arguments: [
            (nil, [0xff, 0xff, 0xff, 0xff], [0x00]), ([], [0, 0, 0, 0], [0x01]),
            ([1, -1], [0, 0, 0, 2, 0, 1, 0xff, 0xff], [0x03, 0, 1, 0xff, 0xff]),
        ] as [([Int16]?, [UInt8], [UInt8])])
    func arrays(content: [Int16]?, plain: [UInt8], compact: [UInt8]) throws {
        for (bytes, isFlexible) in [(plain, false), (compact, true)] {
            #expect(try written(isFlexible: isFlexible) { $0.nullableArray(content) { $0.int16($1) } } == bytes)
            #expect(try read(bytes, isFlexible: isFlexible) { $0.nullableArray { $0.int16() } } == content)
            if content == nil {
                #expect(throws: ProtocolError.self) {
                    try read(bytes, isFlexible: isFlexible) { $0.array { $0.int16() } }
                }
                #expect(throws: ProtocolError.self) {
                    try written(isFlexible: isFlexible) {
                        $0.nullableArray(content, isNullable: false) { $0.int16($1) }
                    }
                }
            }
        }
    }

    @Test("A count or length beyond the end is an error before memory is allocated for it")
    func oversized() {
        for (bytes, isFlexible): ([UInt8], Bool) in [
            ([0x7f, 0xff, 0xff, 0xff, 0, 0], false), ([0xff, 0xff, 0xff, 0xfe], false), ([0x80, 0, 0, 0], false),
            ([0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0], true), ([0, 0, 0, 3, 0, 0], false), ([0x04, 0, 0], true),
        ] {
            #expect(throws: ProtocolError.self, "\(bytes)") {
                try read(bytes, isFlexible: isFlexible) { reader in reader.nullableArray { $0.int16() } }
            }
            #expect(throws: ProtocolError.self, "\(bytes)") {
                try read(bytes, isFlexible: isFlexible) { $0.nullableBytes() }
            }
        }
    }

    @Test("After a failure every value is zero or empty, and the first reason is kept")
    func stickyReader() {
        var reader = WireReader(ByteSlice([0, 9, 1, 2, 3, 4, 5, 6, 7, 8]), isFlexible: false)
        #expect(reader.string() == "")
        #expect(reader.hasFailed)
        #expect(reader.int64() == 0)
        #expect(reader.nullableArray { $0.int8() } == nil)
        reader.fail("another reason")
        let error = #expect(throws: ProtocolError.self) { try reader.finish() }
        #expect(error?.reason == "the string has the length 9, but only 8 bytes are left")
        #expect(error?.position == 2)
    }

    @Test("A number can be overwritten")
    func overwriting() throws {
        var writer = WireWriter(isFlexible: false)
        writer.int32(0)
        writer.int8(9)
        writer.overwriteInt32(-2, at: 0)
        #expect(try writer.finish() == [0xff, 0xff, 0xff, 0xfe, 9])
    }
}
