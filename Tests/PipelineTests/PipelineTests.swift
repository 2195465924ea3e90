import Foundation
import TestSupport
import Testing

/// Whether a Kafka and a Postgres are available, and which one is missing.
let needsServers: ConditionTrait = .enabled(
    if: KafkaHome.newest != nil && PostgresServer.isAvailable,
    "\(KafkaHome.newest == nil ? KafkaHome.skipReason : PostgresServer.skipReason)")

/// The built programs between a real Kafka and a real Postgres. Serialized, since each test runs several processes.
@Suite(.serialized, needsServers)
struct PipelineTests {
    /// Whether to run the long variants.
    static var isLong: Bool { isSet("TFI_LONG_TESTS") }
}

/// Ends a run by a signal, and expects status 0 within a few seconds.
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
