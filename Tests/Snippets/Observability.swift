// What the code in Observability.md uses without declaring it. The package has no dependencies, so these are the parts of
// swift-log, swift-metrics and service-lifecycle that it uses, with their signatures.

private var logger: any KafkaLogger { omitted() }
private var metrics: any KafkaMetrics { omitted() }

private struct Logger: Sendable {
    enum Level: String, Sendable {
        case trace, debug, info, notice, warning, error, critical
    }
    struct Message: ExpressibleByStringInterpolation {
        init(stringLiteral value: String) {}
    }
    enum MetadataValue {
        case string(String)
    }
    let logLevel: Level

    func log(
        level: Level, _ message: @autoclosure () -> Message,
        metadata: @autoclosure () -> [String: MetadataValue]? = nil, source: @autoclosure () -> String? = nil
    ) {}
}

private final class Counter: Sendable {
    init(label: String, dimensions: [(String, String)] = []) {}
    func increment(by amount: some BinaryInteger) {}
}
private final class Gauge: Sendable {
    init(label: String, dimensions: [(String, String)] = []) {}
    func record(_ value: some BinaryFloatingPoint) {}
}
private final class Timer: Sendable {
    init(label: String, dimensions: [(String, String)] = []) {}
    func recordNanoseconds(_ duration: Int64) {}
}

private protocol Service: Sendable {
    func run() async throws
}
private func withGracefulShutdownHandler<Value>(
    operation: () async throws -> Value, onGracefulShutdown: @Sendable () -> Void
) async rethrows -> Value {
    try await operation()
}
