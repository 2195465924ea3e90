import KafkaFake
import KafkaWire
import TestSupport
import Testing

/// The program's behaviour if a broker returns impossible offsets.
@Suite("Impossible offsets", .timeLimit(.minutes(2)))
struct HostileOffsetTests {
    private func kafkawire(_ fake: FakeCluster, _ arguments: String...) async throws -> ProgramResult {
        try await run(try Repository.program("kafkawire"), arguments + ["-b", fake.bootstrapServers])
    }

    @Test("groups offsets and records offsets end with a number or an error", arguments: [Int64.min, -1, .max])
    func ends(end: Int64) async throws {
        let fake = try FakeCluster()
        fake.createTopic("t")
        let committed = try await kafkawire(fake, "groups", "set-offsets", "g", "t:0:\(Int64.max)")
        #expect(committed.status == 0, "\(committed.err)")
        fake.changeAnswers { api, version, answer in
            guard api == .listOffsets, version >= 6 else { return answer }
            // After the only partition's offset come its leader epoch and three empty lists of tagged fields.
            var answer = answer
            for (place, byte) in zip(answer.count - 15..<answer.count - 7, 0..<8) {
                answer[place] = UInt8(truncatingIfNeeded: end >> (56 - 8 * byte))
            }
            return answer
        }
        let group = try await kafkawire(fake, "groups", "offsets", "g")
        #expect(group.status == 0, "\(group.err)")
        #expect(group.out.contains(end < 0 ? "?" : "9223372036854775807  0"), "\(group.out)")
        let records = try await kafkawire(fake, "records", "offsets", "t", "-X", "default.api.timeout.ms=2000")
        #expect(records.status == (end < 0 ? 69 : 0), "\(records.err)")
        if end < 0 { #expect(records.err.contains("returned the invalid offset \(end)"), "\(records.err)") }
        await fake.close()
    }
}
