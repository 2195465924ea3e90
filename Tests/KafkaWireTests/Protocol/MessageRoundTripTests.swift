import KafkaWire
import Testing

import enum TestSupport.LongTests

@Suite("Every message at every version")
struct MessageRoundTripTests {
    @Test("The messages cover every supported API")
    func allAPIs() {
        #expect(Set(SupportedMessage.all.map(\.apiKey)) == Set(APIKey.allCases))
        #expect(SupportedMessage.all.count == 2 * APIKey.allCases.count)
    }

    @Test("An encoded message decodes to the same value", arguments: SupportedMessage.all)
    func roundTrip(_ message: SupportedMessage) throws {
        func check<Message: WireMessage & RandomValue>(_ type: Message.Type) throws {
            for version in message.versions {
                for seed in 0..<LongTests.count(20, quick: 5) {
                    var random = RandomValues(seed: UInt64(seed))
                    let value = Message(&random, version: version)
                    let bytes = try message.encoded(value, version: version)
                    #expect(try message.decoded(type, bytes, version: version) == value, "version \(version)")
                }
            }
        }
        try check(message.type)
    }

    @Test("A message truncated anywhere is an error", arguments: SupportedMessage.all)
    func truncation(_ message: SupportedMessage) throws {
        func check<Message: WireMessage & RandomValue>(_ type: Message.Type) throws {
            for version in message.versions {
                var random = RandomValues(seed: 1)
                let bytes = try message.encoded(Message(&random, version: version), version: version)
                // Every length of a short message; some lengths of a long one in the quick suites.
                let step = bytes.count > 100 ? LongTests.count(1, quick: 7) : 1
                for length in stride(from: 0, to: bytes.count, by: step) {
                    #expect(throws: ProtocolError.self, "version \(version), \(length) of \(bytes.count) bytes") {
                        try message.decoded(type, bytes[..<length], version: version)
                    }
                }
            }
        }
        try check(message.type)
    }

    @Test("An extra byte is an error", arguments: SupportedMessage.all)
    func leftover(_ message: SupportedMessage) throws {
        func check<Message: WireMessage & RandomValue>(_ type: Message.Type) throws {
            for version in message.versions {
                var random = RandomValues(seed: 2)
                let bytes = try message.encoded(Message(&random, version: version), version: version)
                #expect(throws: ProtocolError.self, "version \(version)") {
                    try message.decoded(type, bytes + [0], version: version)
                }
            }
        }
        try check(message.type)
    }

    @Test("Damaged bytes give an error, or a value that can be encoded", arguments: SupportedMessage.all)
    func damage(_ message: SupportedMessage) throws {
        func check<Message: WireMessage & RandomValue>(_ type: Message.Type) throws {
            for version in message.versions {
                var random = RandomValues(seed: 3)
                let bytes = try message.encoded(Message(&random, version: version), version: version)
                guard !bytes.isEmpty else { continue }
                for _ in 0..<LongTests.count(100, quick: 30) {
                    var damaged = bytes
                    for _ in 0...(random.next() % 3) {
                        damaged[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
                    }
                    guard let value = try? message.decoded(type, damaged, version: version) else { continue }
                    let written = try message.encoded(value, version: version)
                    #expect(try message.decoded(type, written, version: version) == value, "version \(version)")
                }
            }
        }
        try check(message.type)
    }
}
