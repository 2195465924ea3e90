@testable import KafkaWire

// The code in the article on observability, word for word, compiled against local copies of the packages' interfaces.

/// Sends KafkaWire's log to swift-log.
struct SwiftLogLogger: KafkaLogger {
    let logger: Logger

    var logLevel: KafkaLogLevel { KafkaLogLevel(rawValue: logger.logLevel.rawValue) ?? .info }

    func log(level: KafkaLogLevel, message: () -> String, metadata: () -> [String: String], source: String) {
        logger.log(
            level: Logger.Level(rawValue: level.rawValue) ?? .info, "\(message())",
            metadata: metadata().mapValues { .string($0) }, source: source)
    }
}

/// Sends KafkaWire's metrics to swift-metrics.
struct SwiftMetrics: KafkaMetrics {
    func counter(_ name: String, dimensions: [(String, String)]) -> @Sendable (Int) -> Void {
        let counter = Counter(label: name, dimensions: dimensions)
        return { counter.increment(by: $0) }
    }

    func gauge(_ name: String, dimensions: [(String, String)]) -> @Sendable (Double) -> Void {
        let gauge = Gauge(label: name, dimensions: dimensions)
        return { gauge.record($0) }
    }

    func timer(_ name: String, dimensions: [(String, String)]) -> @Sendable (Duration) -> Void {
        let timer = Timer(label: name, dimensions: dimensions)
        return { timer.recordNanoseconds(Int64($0 / .nanoseconds(1))) }
    }
}

/// A consumer as a service of service-lifecycle, which ends on a graceful shutdown.
struct ConsumerService: Service {
    let client: KafkaClient
    let consumer: KafkaConsumer
    let handle: @Sendable (RecordBatch) async throws -> Void

    func run() async throws {
        try await withGracefulShutdownHandler {
            for try await batch in consumer { try await handle(batch) }
        } onGracefulShutdown: {
            // The loop above ends after its current batch.
            Task { await consumer.close() }
        }
        await client.close()
    }
}
