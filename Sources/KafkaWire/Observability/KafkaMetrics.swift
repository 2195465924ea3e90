/// Receives a client's metrics.
///
/// The methods are those of a swift-metrics factory: the client creates each instrument once for a name and its
/// dimensions, keeps it, and calls it for every value. See <doc:Observability> for the names, and for a bridge to
/// swift-metrics. Without metrics, the client counts nothing and reads no clock.
///
/// The client creates and calls instruments on any thread, at most once for each request or record batch. They must not
/// block.
public protocol KafkaMetrics: Sendable {
    /// Creates a counter: a closure that adds its argument to a total.
    func counter(_ name: String, dimensions: [(String, String)]) -> @Sendable (Int) -> Void

    /// Creates a gauge: a closure that sets the current value.
    func gauge(_ name: String, dimensions: [(String, String)]) -> @Sendable (Double) -> Void

    /// Creates a timer: a closure that records a duration.
    func timer(_ name: String, dimensions: [(String, String)]) -> @Sendable (Duration) -> Void
}
