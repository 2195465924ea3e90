import Concurrency

@testable import KafkaWire

/// Metrics that a test can inspect.
final class CountingMetrics: KafkaMetrics {
    private struct State {
        var counts: [String: Int] = [:]
        var gauges: [String: Double] = [:]
        var timers: [String: [Duration]] = [:]
        /// The number of instruments created for each name and dimensions.
        var made: [String: Int] = [:]
    }

    private let state = Lock(State())

    /// The dimensions without those of the client, which each instrument has.
    private func key(_ name: String, _ dimensions: [(String, String)]) -> String {
        let dimensions = dimensions.filter { !$0.0.hasPrefix("client.") }
        return ([name] + dimensions.map { "\($0)=\($1)" }).joined(separator: " ")
    }

    func counter(_ name: String, dimensions: [(String, String)]) -> @Sendable (Int) -> Void {
        let key = key(name, dimensions)
        state.withLock { $0.made[key, default: 0] += 1 }
        return { amount in self.state.withLock { $0.counts[key, default: 0] += amount } }
    }

    func gauge(_ name: String, dimensions: [(String, String)]) -> @Sendable (Double) -> Void {
        let key = key(name, dimensions)
        state.withLock { $0.made[key, default: 0] += 1 }
        return { value in self.state.withLock { $0.gauges[key] = value } }
    }

    func timer(_ name: String, dimensions: [(String, String)]) -> @Sendable (Duration) -> Void {
        let key = key(name, dimensions)
        state.withLock { $0.made[key, default: 0] += 1 }
        return { duration in self.state.withLock { $0.timers[key, default: []].append(duration) } }
    }

    func count(_ name: MetricName, _ dimensions: String = "") -> Int {
        state.withLock { $0.counts[dimensions.isEmpty ? name.rawValue : "\(name.rawValue) \(dimensions)"] ?? 0 }
    }

    func gauge(_ name: MetricName, _ dimensions: String = "") -> Double? {
        state.withLock { $0.gauges[dimensions.isEmpty ? name.rawValue : "\(name.rawValue) \(dimensions)"] }
    }

    func times(_ name: MetricName, _ dimensions: String) -> [Duration] {
        state.withLock { $0.timers["\(name.rawValue) \(dimensions)"] ?? [] }
    }

    /// The names and dimensions of all instruments, and how often each was made.
    var made: [String: Int] { state.withLock { $0.made } }
}
