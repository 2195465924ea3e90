import Foundation
import KafkaWire
import KafkaWireFuzz
import Testing

/// The fuzzers' seeds: valid responses and records, which the fuzzers must accept.
///
/// If `KAFKAWIRE_FUZZ_SEEDS` names a folder, the seeds are written there, for scripts/fuzz.sh.
@Suite struct FuzzSeedTests {
    static let folder = ProcessInfo.processInfo.environment["KAFKAWIRE_FUZZ_SEEDS"].map { URL(filePath: $0) }

    static func keep(_ seed: [UInt8], _ fuzzer: String, _ name: String) throws {
        guard let folder = folder?.appending(path: fuzzer) else { return }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(seed).write(to: folder.appending(path: name))
    }

    static let responses = SupportedMessage.all.filter { $0.name.hasSuffix("Response") }

    @Test(arguments: responses) func `responses of each version`(_ message: SupportedMessage) throws {
        func check<Message: WireMessage & RandomValue>(_ type: Message.Type) throws {
            for version in message.versions {
                for seed in 0..<3 as Range<UInt64> {
                    var random = RandomValues(seed: seed)
                    let input = try message.frame(of: Message(&random, version: version), version: version)
                    #expect(try ResponseFuzzer.run(ByteSlice(input)), "version \(version)")
                    try Self.keep(input, "responses", "\(message.name)-\(version)-\(seed)")
                }
            }
        }
        try check(message.type)
    }

    static func recorded() throws -> [GoldenFrame] { try GoldenFrame.all().filter { !$0.isRequest } }

    /// A seed from a real broker's response.
    static func input(_ frame: GoldenFrame) throws -> [UInt8] {
        ResponseFuzzer.input(try #require(APIKey(rawValue: frame.apiKey)), version: frame.version, frame: frame.message)
    }

    @Test(arguments: try recorded()) func `recorded responses`(frame: GoldenFrame) throws {
        let input = try Self.input(frame)
        #expect(try ResponseFuzzer.run(ByteSlice(input)))
        try Self.keep(input, "responses", "\(frame.source)-\(frame.messageName)-\(frame.version)-\(frame.bytes.count)")
    }

    @Test(arguments: try RecordedBatchTests.all()) func `recorded batches`(batch: RecordedBatchTests.Batch) throws {
        let input = RecordFuzzer.input(checksCRC: false, offset: 0, records: Array(batch.records))
        #expect(try RecordFuzzer.run(ByteSlice(input)).batchCount > 0)
        try Self.keep(input, "records", batch.source)
    }

    @Test func `the fuzzer has the request type of each API`() {
        for key in APIKey.allCases { #expect(key.request.apiKey == key) }
    }

    static let names =
        FixtureTests.names
        + MessageSetTests.names.flatMap { ["v0/\($0)", "v1/\($0)"] }

    @Test(arguments: names) func `records of each format and codec`(name: String) throws {
        let records = Array(try FixtureTests.segment(name))
        for checksCRC in [false, true] {
            let input = RecordFuzzer.input(checksCRC: checksCRC, offset: 0, records: records)
            let found = try RecordFuzzer.run(ByteSlice(input))
            #expect(found.batchCount > 0)
            #expect(found.error == nil)
            try Self.keep(input, "records", "\(name.replacing("/", with: "-"))-\(checksCRC)")
        }
    }
}

extension SupportedMessage {
    /// A seed for the response fuzzer.
    func frame<Message: WireMessage>(of message: Message, version: Int16) throws -> [UInt8] {
        var header: [UInt8] = [0, 0, 0, 7]
        if apiKey.request.hasFlexibleResponseHeader(version) { header.append(0) }
        return ResponseFuzzer.input(apiKey, version: version, frame: header + (try encoded(message, version: version)))
    }
}
