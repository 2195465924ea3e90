import KafkaWire
import KafkaWireFuzz
import Testing

import enum TestSupport.LongTests

/// Valid frames and records, damaged by seeded changes.
///
/// The fuzzers' own checks apply: the result is a value or an error, is no larger than the input allows, no batch
/// exceeds its limit, and the reader always advances.
@Suite struct MutationTests {
    /// Changes bytes, numbers and lengths; truncates, repeats and moves parts.
    static func mutate(_ bytes: [UInt8], keeping prefix: Int, _ random: inout RandomValues) -> [UInt8] {
        var bytes = bytes
        for _ in 0...random.next() % 4 where bytes.count > prefix {
            let place = prefix + Int(random.next() % UInt64(bytes.count - prefix))
            let count = Int(random.next() % UInt64(min(bytes.count - place, 64)) + 1)
            switch random.next() % 8 {
            case 0: bytes[place] ^= 1 << UInt8(random.next() % 8)
            case 1: bytes[place] = UInt8(truncatingIfNeeded: random.next())
            case 2: bytes[place] = [0, 1, 0x7f, 0x80, 0xff].randomElement(using: &random) ?? 0
            case 3:
                // A 32-bit number at the limits of lengths and counts.
                let number = [Int32.max, .min, -1, 0, Int32(bytes.count)].randomElement(using: &random) ?? 0
                for (index, byte) in MessageSetTests.bigEndian(number).enumerated() where place + index < bytes.count {
                    bytes[place + index] = byte
                }
            case 4: bytes.removeSubrange(place..<place + count)
            case 5: bytes.insert(contentsOf: bytes[place..<place + count], at: place)
            case 6: bytes.removeLast(bytes.count - place)
            default: bytes.append(contentsOf: bytes[place..<place + count])
            }
        }
        return bytes
    }

    @Test(arguments: FuzzSeedTests.responses) func `damaged responses`(_ message: SupportedMessage) throws {
        func check<Message: WireMessage & RandomValue>(_ type: Message.Type) throws {
            for version in message.versions {
                var random = RandomValues(seed: UInt64(version) + 100)
                for _ in 0..<LongTests.count(60, quick: 20) {
                    let sound = try message.frame(of: Message(&random, version: version), version: version)
                    let input = Self.mutate(sound, keeping: 2, &random)
                    #expect(throws: Never.self, "version \(version): \(input)") {
                        try ResponseFuzzer.run(ByteSlice(input))
                    }
                }
            }
        }
        try check(message.type)
    }

    @Test(arguments: try FuzzSeedTests.recorded()) func `damaged recorded responses`(frame: GoldenFrame) throws {
        let sound = try FuzzSeedTests.input(frame)
        var random = RandomValues(seed: 300)
        for round in 0..<LongTests.count(60, quick: 20) {
            let input = Self.mutate(sound, keeping: 2, &random)
            #expect(throws: Never.self, "round \(round)") { try ResponseFuzzer.run(ByteSlice(input)) }
        }
    }

    @Test(arguments: FuzzSeedTests.names) func `damaged records`(name: String) throws {
        let sound = RecordFuzzer.input(
            checksCRC: false, offset: 0, records: Array(try FixtureTests.segment(name).prefix(20_000)))
        var random = RandomValues(seed: 200)
        for round in 0..<LongTests.count(150, quick: 50) {
            var input = Self.mutate(sound, keeping: 2, &random)
            input[1] = UInt8(round)
            #expect(throws: Never.self, "round \(round)") { try RecordFuzzer.run(ByteSlice(input)) }
        }
    }
}

extension ByteSlice {
    fileprivate func prefix(_ count: Int) -> ByteSlice { slice(0..<Swift.min(count, self.count)) }
}
