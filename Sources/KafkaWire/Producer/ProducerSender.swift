/// Sends a producer's batches to the partitions' leaders so that each is written once and in order.
///
/// Batches are numbered (idempotence, KIP-98): a broker recognizes one that it has already, and refuses one that comes too
/// early. Up to five requests are in flight to a broker. `ProducerPartition` has the rules of one partition; the sender has
/// what belongs to brokers and transactions, and decides which failures are retried.
///
/// In a transaction the identity is the transaction's, and a batch that is given up ends it: see `TransactionManager`.
///
/// The loop waits for no broker: lookups are tasks of their own, and only what needs their results waits.
actor ProducerSender {
    /// One broker, as the sender sees it.
    struct Broker {
        var connection: NegotiatedConnection?
        var isConnecting = false
        /// Whether the batches of its next request are being closed, beside the loop.
        var isDispatching = false
        /// The number of requests without a result, including the one that is being dispatched.
        var requestsInFlight = 0
    }

    let cluster: Cluster
    let configuration: ProducerConfiguration
    let accumulator: Accumulator
    /// nil for a producer without transactions.
    let transactions: TransactionManager?
    var brokers: [Int32: Broker] = [:]
    var leaderLookup = PendingLookup()
    /// When leaders were last looked up.
    var lastLookup: ContinuousClock.Instant
    var identityLookup = PendingLookup()
    /// The identity for partitions that have none, without transactions. Each partition keeps its own when this one
    /// changes, since a batch that may have been written would be written twice under another.
    var identity: ProducerIdentity?
    /// For what is minutes away.
    private var timer = SenderTimer()
    /// For what is due soon. Apart from `timer`, which would be replaced for each batch otherwise.
    private var lingerTimer = SenderTimer()
    /// Report why lookups and batches are retried.
    var metadataReporter = RetryReporter("find the leaders of partitions")
    var retries: [String: TopicRetries] = [:]
    var identityReporter = RetryReporter("get a producer id")
    private(set) var isStopped = false
    private let responses = ProduceResponses()
    private let dispatch: ProduceDispatch

    init(
        cluster: Cluster, configuration: ProducerConfiguration, accumulator: Accumulator,
        transactions: TransactionManager?
    ) {
        self.cluster = cluster
        self.configuration = configuration
        self.accumulator = accumulator
        self.transactions = transactions
        dispatch = ProduceDispatch(
            accumulator: accumulator, responses: responses, transactionalID: transactions?.transactionalID,
            requestTimeout: cluster.configuration.requestTimeout)
        lastLookup = cluster.timing.now()
    }

    /// Runs until `stop`.
    func run() async {
        while !isStopped {
            for result in responses.takeAll() { accept(result) }
            let deadline = await sendReady()
            if isStopped { return }
            if let deadline {
                if deadline <= cluster.timing.now() {
                    await Task.yield()
                    continue
                }
                wakeSoon(at: deadline)
            }
            await accumulator.signal.wait()
        }
    }

    /// Ends the loop, and fails everything that is not delivered.
    ///
    /// - Parameter failure: The error of these records; nil for `error`.
    func stop(_ error: KafkaError, failing failure: KafkaError? = nil) {
        isStopped = true
        timer.cancel()
        lingerTimer.cancel()
        // Before the records fail: a commit that waits for them must see the error.
        transactions?.senderStopped(error)
        accumulator.failAll(failure ?? error)
    }

    // MARK: Sending

    /// Sends what can be sent.
    ///
    /// - Returns: When the next attempt is due if nothing happens before.
    private func sendReady() async -> ContinuousClock.Instant? {
        let now = cluster.timing.now()
        let ready = accumulator.ready(at: now, identity: identity, isTransactional: transactions != nil)
        identity = ready.identity
        var deadline = ready.nextDeadline
        func retry(at instant: ContinuousClock.Instant) { deadline = min(deadline ?? instant, instant) }
        for batch in ready.expired { giveUp(batch, undelivered(batch)) }
        for batch in ready.late { accumulator.expire(batch.outcome, undelivered(batch)) }
        if let expiry = ready.nextExpiry { wake(at: expiry) }
        if let instant = lookUpIdentity(for: ready.unidentified, at: now) { retry(at: instant) }
        var needsLookup = ready.needsLookup
        if !ready.sendable.isEmpty {
            let (leaders, topicIDs) = await cluster.routes(of: ready.sendable)
            let leaderless = ready.sendable.filter { leaders[$0] == nil }
            if !leaderless.isEmpty {
                accumulator.needLookup(leaderless)
                needsLookup = true
            }
            let led = leaderless.isEmpty ? ready.sendable : ready.sendable.filter { leaders[$0] != nil }
            let admitted = transactions?.admit(led) ?? led
            if admitted.count < led.count { retry(at: now + cluster.configuration.maximumRetryBackoff) }
            let byNode = Dictionary(grouping: admitted) { leaders[$0] ?? -1 }
            for (node, partitions) in byNode where hasRoom(node) {
                // Batches wait here for the end of a broker's pause, where they can expire: a transaction would have to
                // wait for those that the connection has.
                if let pauseEnd = brokers[node]?.connection?.pauseEnd {
                    retry(at: now + (pauseEnd - .now))
                    continue
                }
                let isSent = send(partitions, to: node, topicIDs)
                // There may be more complete batches behind those that were sent.
                if isSent, hasRoom(node) { retry(at: now) }
            }
        }
        let next = lookUpLeaders(
            isWaitedFor: needsLookup, canBeUsed: !ready.waiting.isEmpty, lacksLeader: ready.lacksLeader, at: now)
        if let next { retry(at: next) }
        return deadline
    }

    private func hasRoom(_ node: Int32) -> Bool {
        let broker = brokers[node, default: Broker()]
        return !broker.isDispatching && broker.requestsInFlight < configuration.maximumInFlightRequests
    }

    /// - Returns: Whether a request was sent.
    private func send(_ ready: [TopicPartition], to node: Int32, _ topicIDs: [String: KafkaUUID]) -> Bool {
        guard let connection = brokers[node]?.connection, connection.isUsable else {
            brokers[node, default: Broker()].connection = nil
            connect(to: node, for: ready)
            return false
        }
        let version: Int16
        do throws(KafkaError) {
            version = try connection.version(
                for: ProduceRequest.self, upTo: transactions?.lastProduceVersion ?? Int16.max)
        } catch {
            fail(ready, error)
            return false
        }
        let batches = accumulator.takeBatches(
            of: ready, numbering: numbering, room: configuration.maximumRequestSize)
        guard !batches.isEmpty else { return false }
        brokers[node]?.requestsInFlight += 1
        let request = ProduceDispatch.Request(
            node: node, connection: connection, version: version, topicIDs: topicIDs)
        if dispatch.isQuick(batches) {
            finish(dispatch.send(batches, request), node)
        } else {
            brokers[node]?.isDispatching = true
            background("encode for broker \(node)") { [dispatch] in
                let report = dispatch.send(batches, request)
                await self.dispatched(report, node)
            }
        }
        return true
    }

    private var numbering: Accumulator.Numbering {
        if let transactions { return transactions.identity.map { .transactional($0) } ?? .none }
        return configuration.isIdempotent ? .idempotent(identity) : .none
    }

    private func dispatched(_ report: ProduceDispatch.Report, _ node: Int32) {
        brokers[node]?.isDispatching = false
        finish(report, node)
        accumulator.signal.notify()
    }

    private func finish(_ report: ProduceDispatch.Report, _ node: Int32) {
        if !report.hasResult { brokers[node]?.requestsInFlight -= 1 }
        for (batch, error) in report.failures where accumulator.returned(batch.outcome) != nil {
            giveUp(batch, error)
        }
    }

    // MARK: Time

    /// Has the sender check again at a time that may be minutes away.
    func wake(at instant: ContinuousClock.Instant) {
        let now = cluster.timing.now()
        guard timer.mustBeSet(for: instant, at: now) else { return }
        timer.set(for: instant, in: instant - now) { [weak self] in await self?.timerFired() }
    }

    private func timerFired() {
        timer.fired()
        accumulator.signal.notify()
    }

    /// Has the sender check again at the end of a batch's lingering or of a back-off.
    private func wakeSoon(at instant: ContinuousClock.Instant) {
        let now = cluster.timing.now()
        guard lingerTimer.mustBeSet(for: instant, at: now) else { return }
        lingerTimer.set(for: instant, in: instant - now) { [weak self] in await self?.lingerTimerFired() }
    }

    private func lingerTimerFired() {
        lingerTimer.fired()
        accumulator.signal.notify()
    }
}
