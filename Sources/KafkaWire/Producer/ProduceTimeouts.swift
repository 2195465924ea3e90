/// How long a request with batches may take.
///
/// No longer than `delivery.timeout.ms` leaves to them (KIP-91): their senders want to hear by then, and of a broker
/// that is silent there is nothing else to be heard.
struct ProduceTimeouts {
    /// How long the leader may wait for its replicas.
    let replicas: Duration
    /// When the answer has to be there. The connection ends then, and with it all that is in flight on it.
    let answer: Duration

    /// What every request gets: a broker that is merely busy shouldn't cost the connection for a batch that has waited
    /// for nearly all of its time.
    static let minimum = Duration.milliseconds(500)
    /// For the answer to come after the leader has waited for its replicas.
    private static let margin = Duration.seconds(5)

    /// - Parameters:
    ///   - request: `request.timeout.ms`.
    ///   - left: What is left of `delivery.timeout.ms` to the oldest of the batches.
    init(request: Duration, left: Duration) {
        answer = min(request + Self.margin, max(left, Self.minimum))
        replicas = min(request, answer - min(Self.margin, answer / 4))
    }
}
