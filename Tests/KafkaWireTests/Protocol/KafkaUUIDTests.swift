import KafkaWire
import Testing

@Suite("Ids")
struct KafkaUUIDTests {
    /// The texts of Kafka's own `Uuid.toString()`.
    private static let known: [(high: UInt64, low: UInt64, text: String)] = [
        (0, 0, "AAAAAAAAAAAAAAAAAAAAAA"), (0, 1, "AAAAAAAAAAAAAAAAAAAAAQ"),
        (0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210, "ASNFZ4mrze_-3LqYdlQyEA"),
        (.max, .max, "_____________________w"), (0x8000_0000_0000_0000, 0xff, "gAAAAAAAAAAAAAAAAAAA_w"),
    ]

    @Test("The text is equal to Kafka's", arguments: known)
    func text(id: (high: UInt64, low: UInt64, text: String)) {
        let uuid = KafkaUUID(high: id.high, low: id.low)
        #expect(uuid.description == id.text)
        #expect(KafkaUUID(id.text) == uuid)
    }

    @Test("Random ids can be parsed from their text")
    func roundTrip() {
        var random = RandomValues(seed: 5)
        for _ in 0..<200 {
            let uuid = KafkaUUID(high: random.next(), low: random.next())
            #expect(KafkaUUID(uuid.description) == uuid)
        }
    }

    @Test(
        "Invalid text is not an id",
        arguments: [
            "", "AAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAB", "AAAAAAAAAAAAAAAAAAAA+A",
            "AAAAAAAAAAAAAAAAAAAA==", "ÄAAAAAAAAAAAAAAAAAAAAA",
        ])
    func otherForms(text: String) {
        #expect(KafkaUUID(text) == nil)
    }

    @Test("An id is encoded as 16 bytes, the most significant first")
    func wire() throws {
        let bytes = [UInt8](1...16)
        var reader = WireReader(ByteSlice(bytes), isFlexible: false)
        let uuid = reader.uuid()
        try reader.finish()
        #expect(uuid == KafkaUUID(high: 0x0102_0304_0506_0708, low: 0x090a_0b0c_0d0e_0f10))
        var writer = WireWriter(isFlexible: false)
        writer.uuid(uuid)
        #expect(try writer.finish() == bytes)
    }
}
