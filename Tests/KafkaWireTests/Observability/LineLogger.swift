import Concurrency

@testable import KafkaWire

/// A log that a test can inspect.
final class LineLogger: KafkaLogger {
    let logLevel: KafkaLogLevel
    private let lines = Lock<[(level: KafkaLogLevel, message: String, metadata: [String: String])]>([])

    init(_ level: KafkaLogLevel) { logLevel = level }

    func log(level: KafkaLogLevel, message: () -> String, metadata: () -> [String: String], source: String) {
        let line = (level, message(), metadata())
        lines.withLock { $0.append(line) }
    }

    var all: [(level: KafkaLogLevel, message: String, metadata: [String: String])] { lines.withLock { $0 } }
}
