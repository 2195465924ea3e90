import Foundation
import TestSupport
import Testing

/// Whether there is a Kafka and a Postgres to test with, and which is missing.
let needsServers: ConditionTrait = .enabled(
    if: KafkaHome.newest != nil && PostgresServer.isAvailable,
    "\(KafkaHome.newest == nil ? KafkaHome.skipReason : PostgresServer.skipReason)")

/// The built programs between a real Kafka and a real Postgres. One test at a time: each runs several processes.
@Suite(.serialized, needsServers)
struct PipelineTests {
    /// Whether the long variants run.
    static var isLong: Bool { isSet("TFI_LONG_TESTS") }
}

/// Ends a run by a signal, and expects that it leaves with 0 within a few seconds.
@discardableResult
func endInOrder(
    _ consumer: RunningProgram, by number: Int32 = SIGTERM, within limit: Duration = .seconds(5),
    _ location: SourceLocation = #_sourceLocation
) async throws -> ProgramResult {
    let asked = ContinuousClock.now
    consumer.signal(number)
    let result = try await consumer.result(timeout: .seconds(30))
    #expect(result.status == 0, "\(result.err)", sourceLocation: location)
    #expect(ContinuousClock.now - asked < limit, "\(result.err)", sourceLocation: location)
    return result
}
