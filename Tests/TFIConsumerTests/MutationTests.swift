import Foundation
import Testing

@testable import TFIConsumer

/// A generator whose numbers are the same at each run (Steele, Lea and Flood's SplitMix).
struct SeededRandom: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

@Suite("Damaged messages")
struct MutationTests {
    /// The long tests try a hundred thousand messages.
    static let rounds = (ProcessInfo.processInfo.environment["TFI_LONG_TESTS"] ?? "").isEmpty ? 10_000 : 100_000

    static let messages = [
        Passage().json,
        #"{ "qls_unit_id": -5, "unit_collection_pt_timestamp": "1999-12-31 23:59:59.999999", "collection_point_id": 0, "zone_id": 2147483647 }"#,
        #"{"zone_id":1,"extra":[{"a":"\u00e9\n"},null,true,-1.5e-3],"qls_unit_id":7,"collection_point_id":2,"#
            + #""unit_collection_pt_timestamp":"2024-02-29T00:00:00"}"#,
    ]

    /// Bytes that mean something in JSON, so that damage is often nearly right.
    static let telling = Array("{}[]\":,0123456789-+.eE\\u tfn\n".utf8) + [0x00, 0x1f, 0x7f, 0x80, 0xc3, 0xff]

    static func damaged(_ message: String, _ random: inout SeededRandom) -> [UInt8] {
        var bytes = Array(message.utf8)
        for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            let byte = telling.randomElement(using: &random) ?? 0
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bytes[place] = byte
            case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2: bytes.insert(byte, at: place)
            case 3: bytes.remove(at: place)
            case 4: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...20, using: &random)))
            default:
                let end = min(bytes.count, place + Int.random(in: 1...20, using: &random))
                bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: 0...bytes.count, using: &random))
            }
        }
        return bytes
    }

    /// Nothing traps, and both ways through the mapper agree: the fast one for the form that programs write, and the
    /// one for every form, which a space in front leads to.
    @Test func nothingTrapsAndBothWaysAgree() {
        var random = SeededRandom(state: 20_240_312)
        var mapper = RowMapper()
        let key = Array("unit_collection_point".utf8)
        var rows = 0
        var different: [String] = []
        for round in 0..<Self.rounds {
            let value = Self.damaged(Self.messages[round % Self.messages.count], &random)
            let direct = mapper.map(key: key, value: value)
            let careful = mapper.map(key: key, value: [0x20] + value)
            switch (direct, careful) {
            case (.row(let left), .row(let right)) where left == right: rows += 1
            // The reasons tell places, which the space has moved.
            case (.rejected, .rejected): break
            default: different.append(String(decoding: value, as: UTF8.self))
            }
        }
        #expect(different.isEmpty)
        // Some damage does no harm (a digit that became another one); if none did, this would test nothing.
        #expect(rows > Self.rounds / 100 && rows < Self.rounds / 2)
    }

    /// What the mapper takes, an independent reader of JSON takes too.
    @Test func whatBecomesARowIsJSON() {
        var random = SeededRandom(state: 7)
        var mapper = RowMapper()
        var rows = 0
        for round in 0..<Self.rounds / 5 {
            let value = Self.damaged(Self.messages[round % Self.messages.count], &random)
            guard case .row = mapper.map(key: Array("unit_collection_point".utf8), value: value) else { continue }
            rows += 1
            let text = String(decoding: value, as: UTF8.self)
            #expect(throws: Never.self, "\(text)") { try JSONSerialization.jsonObject(with: Data(value)) }
        }
        #expect(rows > Self.rounds / 1000)
    }
}
