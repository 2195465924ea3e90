/// Where a client's figures go.
///
/// The shape is that of swift-metrics' factories: each instrument is made once for a name and its dimensions, kept,
/// and called whenever there is something to count. See <doc:Observability> for the names, and for the few lines that
/// join it to swift-metrics. Without one nothing is counted and no clock is looked at.
///
/// Instruments are made and called on any thread, for each request or record batch at most, and mustn't block.
public protocol KafkaMetrics: Sendable {
    /// Makes what adds the number that it is called with to a count that only grows.
    func counter(_ name: String, dimensions: [(String, String)]) -> @Sendable (Int) -> Void

    /// Makes what sets a value that goes up and down.
    func gauge(_ name: String, dimensions: [(String, String)]) -> @Sendable (Double) -> Void

    /// Makes what records how long something took.
    func timer(_ name: String, dimensions: [(String, String)]) -> @Sendable (Duration) -> Void
}
