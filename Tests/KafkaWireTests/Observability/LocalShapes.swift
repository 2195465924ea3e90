import Concurrency

// The parts of swift-log, swift-metrics and service-lifecycle that the bridges use, with the same signatures as in the
// packages. So the bridges are compiled and run without depending on the packages.

/// The used part of swift-log's `Logger`.
struct Logger: Sendable {
    enum Level: String, Sendable {
        case trace, debug, info, notice, warning, error, critical
    }

    struct Message: ExpressibleByStringInterpolation, CustomStringConvertible, Sendable {
        let description: String

        init(stringLiteral value: String) { description = value }
    }

    enum MetadataValue: Sendable, Equatable {
        case string(String)
    }

    typealias Metadata = [String: MetadataValue]

    var logLevel: Level
    let handler: @Sendable (Level, Message, Metadata?, String?) -> Void

    func log(
        level: Level, _ message: @autoclosure () -> Message, metadata: @autoclosure () -> Metadata? = nil,
        source: @autoclosure () -> String? = nil, file: String = #fileID, function: String = #function,
        line: UInt = #line
    ) {
        handler(level, message(), metadata(), source())
    }
}

/// The calls of the local instruments, in order.
final class LocalMetrics: Sendable {
    static let shared = LocalMetrics()
    private let lines = Lock<[String]>([])

    func add(_ line: String) { lines.withLock { $0.append(line) } }

    func lines(of label: String) -> [String] { lines.withLock { $0.filter { $0.hasPrefix(label + " ") } } }
}

/// The used part of swift-metrics' `Counter`.
final class Counter: Sendable {
    private let label: String
    private let dimensions: [(String, String)]

    init(label: String, dimensions: [(String, String)] = []) {
        self.label = label
        self.dimensions = dimensions
    }

    func increment<Value: BinaryInteger>(by amount: Value) {
        LocalMetrics.shared.add("\(label) \(dimensions) + \(amount)")
    }
}

/// The used part of swift-metrics' `Gauge`.
final class Gauge: Sendable {
    private let label: String
    private let dimensions: [(String, String)]

    init(label: String, dimensions: [(String, String)] = []) {
        self.label = label
        self.dimensions = dimensions
    }

    func record<Value: BinaryFloatingPoint>(_ value: Value) {
        LocalMetrics.shared.add("\(label) \(dimensions) = \(value)")
    }
}

/// The used part of swift-metrics' `Timer`.
final class Timer: Sendable {
    private let label: String
    private let dimensions: [(String, String)]

    init(label: String, dimensions: [(String, String)] = []) {
        self.label = label
        self.dimensions = dimensions
    }

    func recordNanoseconds(_ duration: Int64) {
        LocalMetrics.shared.add("\(label) \(dimensions) \(duration) ns")
    }
}

/// service-lifecycle's `Service`.
protocol Service: Sendable {
    func run() async throws
}

/// Requests a shutdown, for the local `withGracefulShutdownHandler`.
final class LocalShutdown: Sendable {
    @TaskLocal static var current: LocalShutdown?
    private let handlers = Lock<[@Sendable () -> Void]>([])

    func add(_ handler: @escaping @Sendable () -> Void) { handlers.withLock { $0.append(handler) } }

    func begin() {
        for handler in handlers.withLock({ $0 }) { handler() }
    }
}

/// service-lifecycle's function of this name.
func withGracefulShutdownHandler<Value>(
    operation: () async throws -> Value, onGracefulShutdown handler: @escaping @Sendable () -> Void
) async rethrows -> Value {
    LocalShutdown.current?.add(handler)
    return try await operation()
}
