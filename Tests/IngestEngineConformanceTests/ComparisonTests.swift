import Foundation
import IngestEngine
import PGWire
import TestSupport
import Testing

/// The table contains what `INSERT INTO t SELECT … FROM json_populate_record(null::t, message)` would store, and a
/// message is refused exactly if that statement fails.
@Suite(.enabled(if: PostgresServer.isAvailable, "\(PostgresServer.skipReason)"))
struct ComparisonTests {
    /// The number of messages to compare: `INGEST_COMPARISONS`.
    static let count = ProcessInfo.processInfo.environment["INGEST_COMPARISONS"].flatMap { Int($0) } ?? 10_000
    /// The seed of the messages: `INGEST_SEED`.
    static let seed = ProcessInfo.processInfo.environment["INGEST_SEED"].flatMap { UInt64($0) } ?? 1

    @Test func everyMessageBecomesTheServersRow() async throws {
        let tables = try await ComparedTables.make(in: "comparison")
        var generator = MessageGenerator(seed: Self.seed)
        var totals = ComparedTables.Totals()
        var done = 0
        while done < Self.count {
            let size = min(20_000, Self.count - done)
            let messages = (0..<size).map { _ in generator.message() }
            let mismatches = try await tables.compare(messages, first: done, &totals)
            for mismatch in mismatches.prefix(40) { Issue.record("\(mismatch)") }
            if mismatches.count > 40 { break }
            done += size
        }
        print("compared \(done) messages: \(totals)")
        // A generator that produces only one kind of message compares nothing.
        #expect(totals.rows > done / 5)
        #expect(totals.server > done / 50)
        #expect(totals.rejected > done / 20)
    }
}
