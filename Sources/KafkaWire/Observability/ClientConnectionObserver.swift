/// Reports what happens on one connection to the client's observer, with the broker and the role of the connection.
struct ClientConnectionObserver: ConnectionObserver {
    let client: ClientObserver
    let broker: BrokerAddress
    let role: ConnectionRole

    /// - Returns: Nil if the client has no observer.
    init?(_ client: ClientObserver?, _ broker: BrokerAddress, _ role: ConnectionRole) {
        guard let client else { return nil }
        self.client = client
        self.broker = broker
        self.role = role
    }

    func requested(_ api: APIKey, version: Int16, byteCount: Int) {
        client.requested(broker, role, api, version, byteCount: byteCount)
    }

    func answered(_ api: APIKey, version: Int16, byteCount: Int, took duration: Duration, _ error: KafkaError?) {
        client.answered(broker, role, api, version, byteCount: byteCount, took: duration, error)
    }

    func throttled(_ api: APIKey, for duration: Duration, requested: Duration) {
        client.throttled(broker, role, api, for: duration, requested: requested)
    }

    func shortSession(_ lifetime: Duration, nextLoginAfter pause: Duration) {
        client.shortSession(broker, lifetime, nextLoginAfter: pause)
    }
}
