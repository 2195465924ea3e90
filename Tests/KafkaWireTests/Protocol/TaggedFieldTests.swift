import KafkaWire
import Testing

@Suite("Tagged fields (KIP-482)")
struct TaggedFieldTests {
    @Test("Tags are encoded with their sizes, only in flexible versions")
    func writing() throws {
        for (isFlexible, bytes): (Bool, [UInt8]) in [
            (true, [2, 0, 2, 0, 7, 0x81, 0x01, 3, 3, 0x61, 0x62]), (false, []),
        ] {
            var writer = WireWriter(isFlexible: isFlexible)
            writer.tags([(0, { $0.int16(7) }), (129, { $0.string("ab") })])
            #expect(try writer.finish() == bytes)
        }
        var none = WireWriter(isFlexible: true)
        none.tags()
        #expect(try none.finish() == [0])
    }

    @Test("Known tags are decoded, others are skipped")
    func reading() throws {
        var reader = WireReader(
            ByteSlice([3, 0, 2, 0, 7, 5, 3, 1, 2, 3, 0x81, 0x01, 3, 3, 0x61, 0x62]), isFlexible: true)
        var number: Int16 = 0
        var text = ""
        reader.tags { tag, field in
            switch tag {
            case 0: number = field.int16()
            case 129: text = field.string()
            default: return false
            }
            return true
        }
        try reader.finish()
        #expect(number == 7)
        #expect(text == "ab")
    }

    @Test(
        "Sizes and counts beyond the end are errors",
        arguments: [
            [1], [1, 0], [1, 0, 2, 7], [2, 0, 1, 7], [0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0], [1, 0, 1, 7],
            [1, 0, 3, 0, 7, 9],
            [1, 0, 0xff, 0xff, 0xff, 0xff, 0x0f],
        ] as [[UInt8]])
    func refused(bytes: [UInt8]) {
        var reader = WireReader(ByteSlice(bytes), isFlexible: true)
        reader.tags { _, field in
            _ = field.int16()
            return true
        }
        #expect(throws: ProtocolError.self) { try reader.finish() }
    }

    @Test("A failure in a tag's content fails the message")
    func failure() {
        var writer = WireWriter(isFlexible: true)
        writer.tags([(4, { $0.omit("name", isDefault: false) })])
        let error = #expect(throws: ProtocolError.self) { try writer.finish() }
        #expect(error?.reason == "tagged field 4: name is set, but this version cannot encode it")
    }

    @Test("A tag of a later version is skipped at an earlier one")
    func laterTag() throws {
        var request = FetchRequest(replicaState: FetchRequest.ReplicaState(replicaId: 5, replicaEpoch: 6))
        var writer = WireWriter(isFlexible: true)
        request.encode(to: &writer, version: 15)
        // Version 12 has the fields of version 15 after the replica id, 4 bytes.
        let bytes = [0, 0, 0, 3] + (try writer.finish())
        var reader = WireReader(ByteSlice(bytes), isFlexible: true)
        let read = FetchRequest(from: &reader, version: 12)
        try reader.finish()
        request.replicaId = 3
        request.replicaState = FetchRequest.ReplicaState()
        #expect(read == request)
    }
}
