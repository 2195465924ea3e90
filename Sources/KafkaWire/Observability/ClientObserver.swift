/// Reports what a client does to its logger, metrics and hooks.
///
/// A client without any of the three has no observer, so that its parts only compare with nil.
package final class ClientObserver: Sendable {
    private let logger: (any KafkaLogger)?
    private let instruments: Instruments?
    private let hooks: ClientHooks
    private let identity: ClientIdentity

    /// The `client.id` of the client that reports.
    package var clientID: String { identity.clientID }

    /// - Returns: nil if there is no logger, no metrics and no hook.
    package init?(
        clientID: String = "", logger: (any KafkaLogger)? = nil, metrics: (any KafkaMetrics)? = nil, hooks: ClientHooks
    ) {
        guard logger != nil || metrics != nil || hooks.isAnySet else { return nil }
        let identity = ClientIdentity(clientID)
        self.identity = identity
        self.logger = logger
        instruments = metrics.map { Instruments($0, identity) }
        self.hooks = hooks
    }

    private func log(
        _ level: KafkaLogLevel, _ message: @autoclosure () -> String,
        _ metadata: @autoclosure () -> [String: String] = [:]
    ) {
        guard let logger, logger.logLevel <= level else { return }
        logger.log(
            level: level, message: message, metadata: { metadata().merging(identity.metadata) { own, _ in own } },
            source: "KafkaWire")
    }

    // MARK: Connections

    package func connected(_ broker: BrokerAddress, _ role: ConnectionRole, took duration: Duration) {
        instruments?.count(.connectionsOpened)
        instruments?.openConnections(changeBy: 1)
        hooks.connected?(
            ConnectEvent(clientID: clientID, broker: broker, role: role, duration: duration, error: nil))
        log(.debug, "connected", ["broker": broker.description, "role": role.rawValue])
    }

    package func connectionFailed(
        _ broker: BrokerAddress, _ role: ConnectionRole, took duration: Duration, _ error: KafkaError
    ) {
        instruments?.count(.connectionsFailed)
        hooks.connected?(
            ConnectEvent(clientID: clientID, broker: broker, role: role, duration: duration, error: error))
        log(
            .debug, "could not connect",
            ["broker": broker.description, "role": role.rawValue, "error": error.description])
    }

    package func disconnected(_ broker: BrokerAddress, _ role: ConnectionRole, _ reason: DisconnectReason) {
        instruments?.count(.connectionsClosed, 1, ["reason": reason.name])
        instruments?.openConnections(changeBy: -1)
        hooks.disconnected?(DisconnectEvent(clientID: clientID, broker: broker, role: role, reason: reason))
        log(
            .debug, "disconnected",
            ["broker": broker.description, "role": role.rawValue, "reason": reason.description])
    }

    package func availabilityChanged(_ change: BrokerAvailability) {
        hooks.availabilityChanged?(change)
        switch change {
        case .lost(let broker, let reason):
            log(.warning, "a broker is lost", ["broker": broker.description, "error": reason])
        case .back(let broker):
            log(.notice, "a broker is back", ["broker": broker.description])
        }
    }

    /// - Parameter reason: Why the client discards its metadata (KIP-899, KIP-1102).
    package func rebootstraps(_ reason: String) {
        instruments?.count(.rebootstraps)
        log(.notice, "returning to the bootstrap servers", ["reason": reason])
    }

    // MARK: Requests

    func requested(_ broker: BrokerAddress, _ role: ConnectionRole, _ api: APIKey, _ version: Int16, byteCount: Int) {
        instruments?.count(.requests, 1, ["api": api.name])
        instruments?.count(.bytesSent, byteCount)
        hooks.requestSent?(
            RequestEvent(
                clientID: clientID, broker: broker, role: role, api: api.name, version: version, byteCount: byteCount))
        log(
            .trace, "sent a request",
            ["broker": broker.description, "api": api.name, "version": "\(version)", "bytes": "\(byteCount)"])
    }

    func answered(
        _ broker: BrokerAddress, _ role: ConnectionRole, _ api: APIKey, _ version: Int16, byteCount: Int,
        took duration: Duration, _ error: KafkaError?
    ) {
        if let error {
            instruments?.count(.requestErrors, 1, ["api": api.name, "error": error.code.description])
        } else {
            instruments?.record(.requestDuration, duration, ["api": api.name])
        }
        if byteCount > 0 { instruments?.count(.bytesReceived, byteCount) }
        hooks.responseReceived?(
            ResponseEvent(
                clientID: clientID, broker: broker, role: role, api: api.name, version: version, byteCount: byteCount,
                duration: duration,
                error: error))
        log(
            error == nil ? .trace : .debug, error == nil ? "received a response" : "a request failed",
            ["broker": broker.description, "api": api.name, "version": "\(version)", "bytes": "\(byteCount)"]
                .merging(error.map { ["error": $0.description] } ?? [:]) { $1 })
    }

    func throttled(
        _ broker: BrokerAddress, _ role: ConnectionRole, _ api: APIKey, for duration: Duration, requested: Duration
    ) {
        instruments?.record(.throttle, duration, ["api": api.name])
        hooks.throttled?(
            ThrottleEvent(
                clientID: clientID, broker: broker, role: role, api: api.name, duration: duration,
                requested: requested))
        log(
            requested > duration ? .warning : .notice,
            requested > duration
                ? "a broker requests a longer pause than the client accepts"
                : "a broker throttles the client, which has exceeded a quota",
            [
                "broker": broker.description, "api": api.name, "pause": "\(duration)", "requested": "\(requested)",
            ])
    }

    /// A broker grants a session that is shorter than the interval between two logins.
    func shortSession(_ broker: BrokerAddress, _ lifetime: Duration, nextLoginAfter pause: Duration) {
        log(
            .warning, "a broker grants a session shorter than the shortest interval between two logins",
            ["broker": broker.description, "lifetime": "\(lifetime)", "interval": "\(pause)"])
    }

    /// A coordinator asks for heartbeats so rarely that the member would not learn of assignments.
    func longHeartbeatInterval(group: String, _ requested: Duration, using interval: Duration) {
        log(
            .warning, "a coordinator requests too long a heartbeat interval",
            ["group": group, "requested": "\(requested)", "interval": "\(interval)"])
    }

    /// A call failed and will be retried after a pause.
    package func retries(_ error: KafkaError, failures: Int, after pause: Duration) {
        instruments?.count(.retries, 1, ["error": error.code.description])
        log(
            .debug, "retrying a call",
            ["error": error.description, "failures": "\(failures)", "pause": "\(pause)"])
    }

    /// Reports an operation that the client keeps retrying, or that has succeeded now. `RetryReporter` decides when.
    func retrying(_ event: RetryEvent) {
        hooks.retrying?(event)
        var metadata = ["operation": event.operation, "failures": "\(event.failures)", "elapsed": "\(event.elapsed)"]
        guard let error = event.error else { return log(.notice, "retrying succeeded", metadata) }
        metadata["error"] = error.description
        if let pause = event.pause { metadata["pause"] = "\(pause)" }
        log(.warning, "retrying after a failure", metadata)
    }

    // MARK: Records

    /// A fetch response contained a partition, possibly without a batch.
    ///
    /// - Parameters:
    ///   - bytes: The number of bytes received, compressed or not.
    ///   - lag: The number of offsets from the last fetched one to the end of what may be read; nil if unknown.
    package func fetched(_ partition: TopicPartition, records: Int, batches: Int, bytes: Int, lag: Int64?) {
        guard let instruments else { return }
        if batches > 0 {
            instruments.count(.fetchedRecords, records, ["topic": partition.topic])
            instruments.count(.fetchedBatches, batches, ["topic": partition.topic])
            instruments.count(.fetchedBytes, bytes, ["topic": partition.topic])
        }
        if let lag {
            instruments.set(
                .lag, Double(lag), ["topic": partition.topic, "partition": "\(partition.partition)"])
        }
    }

    /// A batch was acknowledged or, with `acks=0`, sent.
    ///
    /// - Parameter bytes: The number of bytes before compression.
    package func produced(_ partition: TopicPartition, records: Int, bytes: Int) {
        guard let instruments else { return }
        instruments.count(.producedRecords, records, ["topic": partition.topic])
        instruments.count(.producedBatches, 1, ["topic": partition.topic])
        instruments.count(.producedBytes, bytes, ["topic": partition.topic])
    }

    /// A batch failed. It is no error if the application aborted the transaction.
    package func failedToProduce(_ partition: TopicPartition, records: Int, _ error: KafkaError) {
        instruments?.count(
            .failedRecords, records, ["topic": partition.topic, "error": error.code.description])
        log(
            error.code == .operationNotAttempted ? .debug : .error, "records weren't delivered",
            [
                "topic": partition.topic, "partition": "\(partition.partition)", "records": "\(records)",
                "error": error.description,
            ])
    }

    // MARK: Groups

    /// Partitions were revoked, and their offsets could not be committed.
    func failedCommit(group: String, _ error: KafkaError) {
        log(
            .warning, "could not commit offsets before partitions were revoked",
            ["group": group, "error": error.description])
    }

    /// A call was refused that would have waited for itself.
    func refused(_ error: KafkaError) {
        log(.error, "refused a call", ["error": error.description])
    }

    /// A group's leader assigned no partitions to a member, since it can't decode the member's subscription.
    func leftOut(member: String, ofGroup group: String, _ error: ProtocolError) {
        log(
            .warning, "assigned no partitions to a member whose subscription is unreadable",
            ["group": group, "member": member, "error": "\(error)"])
    }

    /// Offsets were not committed, since they belong to a topic that was deleted and recreated.
    func skippedCommit(group: String, _ error: KafkaError) {
        log(
            .warning, "skipped an offset of a topic that no longer exists",
            ["group": group, "error": error.description])
    }

    package func rebalanced(
        group: String, generation: Int32, _ change: RebalanceEvent.Change, _ partitions: [TopicPartition]
    ) {
        instruments?.count(.rebalances, 1, ["group": group, "change": change.rawValue])
        hooks.rebalanced?(
            RebalanceEvent(
                clientID: clientID, groupID: group, generationID: generation, change: change, partitions: partitions))
        log(
            change == .lost ? .warning : .info, "partitions were \(change.rawValue)",
            [
                "group": group, "generation": "\(generation)",
                "partitions": partitions.map(\.description).joined(separator: ","),
            ])
    }
}

extension ClientHooks {
    fileprivate var isAnySet: Bool {
        connected != nil || disconnected != nil || requestSent != nil || responseReceived != nil || throttled != nil
            || rebalanced != nil || availabilityChanged != nil || retrying != nil
    }
}

extension DisconnectReason {
    fileprivate var name: String {
        switch self {
        case .closed: "closed"
        case .idle: "idle"
        case .failed: "failed"
        }
    }
}
