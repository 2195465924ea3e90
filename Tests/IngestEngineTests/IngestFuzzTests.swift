import Foundation
import IngestEngineFuzz
import Testing

/// Runs the fuzzers' seeds, unchanged and damaged.
///
/// With `KAFKAWIRE_FUZZ_SEEDS` the seeds are written to that folder, for scripts/fuzz.sh.
@Suite("Ingest fuzzers")
struct IngestFuzzTests {
    static let folder = ProcessInfo.processInfo.environment["KAFKAWIRE_FUZZ_SEEDS"].map { URL(filePath: $0) }

    /// The number of damaged variants per seed.
    static let rounds = (ProcessInfo.processInfo.environment["TFI_LONG_TESTS"] ?? "").isEmpty ? 5 : 1000

    @Test(arguments: IngestFuzzer.allCases) func seedsAndDamagedSeedsPassTheFuzzersChecks(
        _ fuzzer: IngestFuzzer
    ) throws {
        var random = SystemRandomNumberGenerator()
        var taken = 0
        for (index, bytes) in fuzzer.seeds.enumerated() {
            if try fuzzer.run(bytes) { taken += 1 }
            for _ in 0..<Self.rounds {
                var damaged = bytes
                RowFormTests.deviate(&damaged, &random)
                try fuzzer.run(damaged)
            }
            guard let folder = Self.folder?.appending(path: fuzzer.rawValue) else { continue }
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data(bytes).write(to: folder.appending(path: "\(index)"))
        }
        #expect(taken >= 2)
    }
}
