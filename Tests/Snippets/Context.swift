// What the code of the documents refers to without declaring it. scripts/snippets.py only type-checks it: nothing runs.

import KafkaWire

private func given<Value>(_ type: Value.Type = Value.self) -> Value { fatalError("never runs") }

// MARK: KafkaWire's objects

var client: KafkaClient { given() }
var consumer: KafkaConsumer { given() }
var producer: KafkaProducer { given() }
var batch: RecordBatch { given() }
var configuration: ClientConfiguration {
    get { given() }
    set {}
}
var partition: TopicPartition { given() }
var group: ConsumerGroupMetadata { given() }
var next: Int64 { given() }

// MARK: The reader's code

var lines: [String] { given() }
var order: String { given() }
var movement: String { given() }
var result: String { given() }
var password: String { given() }
var log: @Sendable (String) -> Void { given() }
var histogram: Histogram { given() }
var cache: Cache { given() }
var identityProvider: IdentityProvider { given() }
func handle(_ batch: RecordBatch) async throws {}

struct Histogram: Sendable {
    func record(_ duration: Duration) {}
}

actor Cache {
    func load(_ partitions: some Sequence<TopicPartition>) {}
    func save(_ partitions: some Sequence<TopicPartition>) {}
    func drop(_ partitions: some Sequence<TopicPartition>) {}
}

actor IdentityProvider {
    struct Answer {
        let accessToken: String
        let expiresIn: Int
    }

    func token(scope: String) throws -> Answer { given() }
}

var logger: any KafkaLogger { given() }
var metrics: any KafkaMetrics { given() }

// MARK: Other packages, as far as the documents use them

/// swift-log's logger.
struct Logger: Sendable {
    enum Level: String, Sendable {
        case trace, debug, info, notice, warning, error, critical
    }

    enum MetadataValue: Sendable {
        case string(String)
    }

    struct Message: ExpressibleByStringInterpolation {
        init(stringLiteral value: String) {}
    }

    var logLevel: Level { given() }

    func log(
        level: Level, _ message: @autoclosure () -> Message,
        metadata: @autoclosure () -> [String: MetadataValue]?, source: @autoclosure () -> String?
    ) {}
}

/// swift-metrics' counter.
final class Counter: Sendable {
    init(label: String, dimensions: [(String, String)]) {}
    func increment(by amount: Int) {}
}

/// swift-metrics' gauge.
final class Gauge: Sendable {
    init(label: String, dimensions: [(String, String)]) {}
    func record(_ value: Double) {}
}

/// swift-metrics' timer.
final class Timer: Sendable {
    init(label: String, dimensions: [(String, String)]) {}
    func recordNanoseconds(_ duration: Int64) {}
}

/// service-lifecycle's service.
protocol Service: Sendable {
    func run() async throws
}

/// service-lifecycle's handler of a graceful shutdown.
func withGracefulShutdownHandler<Result>(
    operation: () async throws -> Result, onGracefulShutdown handler: @escaping @Sendable () -> Void
) async rethrows -> Result {
    try await operation()
}
