import Concurrency

/// The instruments of an application's metrics, each made when it is first needed and kept from then on.
final class Instruments: Sendable {
    private struct Key: Hashable {
        let name: MetricName
        let dimensions: [String]
    }

    private struct State {
        var counters: [Key: @Sendable (Int) -> Void] = [:]
        var gauges: [Key: @Sendable (Double) -> Void] = [:]
        var timers: [Key: @Sendable (Duration) -> Void] = [:]
        var openConnections = 0
    }

    private let metrics: any KafkaMetrics
    /// The dimensions that every instrument has.
    private let common: [(String, String)]
    private let state = Lock(State())

    init(_ metrics: any KafkaMetrics, _ identity: ClientIdentity) {
        self.metrics = metrics
        common = identity.dimensions
    }

    func count(_ name: MetricName, _ amount: Int = 1, _ dimensions: KeyValuePairs<String, String> = [:]) {
        instrument(name, dimensions, \.counters, metrics.counter)(amount)
    }

    func set(_ name: MetricName, _ value: Double, _ dimensions: KeyValuePairs<String, String> = [:]) {
        instrument(name, dimensions, \.gauges, metrics.gauge)(value)
    }

    func record(_ name: MetricName, _ duration: Duration, _ dimensions: KeyValuePairs<String, String> = [:]) {
        instrument(name, dimensions, \.timers, metrics.timer)(duration)
    }

    /// - Parameter change: 1 for a connection that was opened, -1 for one that has ended.
    func openConnections(changeBy change: Int) {
        let count = state.withLock { state in
            state.openConnections += change
            return state.openConnections
        }
        set(.connectionsOpen, Double(count))
    }

    private func instrument<Instrument: Sendable>(
        _ name: MetricName, _ dimensions: KeyValuePairs<String, String>,
        _ kept: WritableKeyPath<State, [Key: Instrument]> & Sendable,
        _ make: (String, [(String, String)]) -> Instrument
    ) -> Instrument {
        let key = Key(name: name, dimensions: dimensions.map(\.value))
        if let instrument = state.withLock({ $0[keyPath: kept][key] }) { return instrument }
        // Made outside of the lock, since that is the application's code. Of two that are made at once one is kept.
        let new = make(name.rawValue, dimensions.map { ($0.key, $0.value) } + common)
        return state.withLock { state in
            let instrument = state[keyPath: kept][key] ?? new
            state[keyPath: kept][key] = instrument
            return instrument
        }
    }
}
