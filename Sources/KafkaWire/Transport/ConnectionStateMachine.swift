/// The rules of one connection to a broker, without the connection: events in, actions out.
///
/// A broker responds in the order of the requests (Kafka protocol guide, "Network"), so one queue holds the requests that
/// are to be written and those that await a response. Cancelling a request doesn't disturb the others: if its writing has
/// begun it stays in the queue with a mark, and its response is dropped. A request whose deadline passes ends the
/// connection, since every response behind it would be late too. So does a response that doesn't belong to the oldest
/// request, or a frame with an impossible length.
///
/// ```
/// connecting ──connected──▶ open ──close / failure──▶ closed
///      └───────────────failure / deadline────────────────▲
/// ```
struct ConnectionStateMachine: ~Copyable {
    typealias Instant = ContinuousClock.Instant

    /// What the machine's owner must do, in this order.
    enum Action: Equatable {
        /// Completes the request with this id by the frame that was just received.
        case answer(Int32)
        /// Completes the request with this id without a response (acks=0).
        case written(Int32)
        case fail(Int32, KafkaError)
        /// Closes the connection, which has had no request for the longest idle time.
        case idle
        /// Closes the socket. Every request has failed before; later ones fail for the same reason.
        case closeSocket(KafkaError)
    }

    private struct Request {
        let id: Int32
        var deadline: Instant
        let expectsResponse: Bool
        /// Whether its writing has begun.
        var isBegun = false
        /// Whether it is part of an authentication.
        var isAuthentication = false
        /// For a request that opens the connection: the latest deadline, whichever address is tried. nil for others.
        var latestDeadline: Instant?
        var isAbandoned = false
        /// Its bytes; nil once the kernel has taken all of them.
        var frame: RequestFrame?
        /// How many of its bytes the kernel has taken.
        var written = 0
    }

    private enum State {
        case connecting
        case open
        case closed(KafkaError)
    }

    private var state = State.connecting
    /// The requests that have not ended, in the order in which they are written and answered.
    private var requests: [Request] = []
    let broker: String
    /// When the attempt to connect to the current address has taken too long. It limits the requests that open the
    /// connection as well.
    private(set) var connectDeadline: Instant
    let maximumFrame: Int
    private let maximumIdle: Duration?
    /// The length of the response to the oldest request, once it has been read; nil between responses.
    private var responseLength: Int32?
    /// Since when there has been no request.
    private var idleSince: Instant?
    /// The pause that the broker asked for. No request is begun during it (KIP-219).
    private var muted: (since: Instant, until: Instant)?
    /// Whether the client authenticates again. Requests that have not begun wait, since a broker accepts nothing else
    /// meanwhile (KIP-368).
    private var isAuthenticating = false

    /// - Parameters:
    ///   - broker: The broker's address, for error messages.
    ///   - connectDeadline: When the attempt to connect to the first address times out.
    ///   - maximumFrame: The longest response that is accepted, in bytes (`receive.message.max.bytes`).
    ///   - maximumIdle: How long a connection without requests is kept (`connections.max.idle.ms`); nil for no limit.
    init(broker: String, connectDeadline: Instant, maximumFrame: Int, maximumIdle: Duration? = nil) {
        self.broker = broker
        self.connectDeadline = connectDeadline
        self.maximumFrame = maximumFrame
        self.maximumIdle = maximumIdle
    }

    var isClosed: Bool { closed != nil }

    /// Why the connection has ended; nil if it has not.
    var closed: KafkaError? {
        if case .closed(let reason) = state { reason } else { nil }
    }

    /// The number of requests that are to be written or await a response.
    var pendingCount: Int { requests.count }

    /// Whether no caller waits for a response.
    var isIdle: Bool { !requests.contains { !$0.isAbandoned } }

    /// When `tick` must be called again at the latest.
    var nextDeadline: Instant? {
        switch state {
        case .connecting: requests.map(\.deadline).min().map { min($0, connectDeadline) } ?? connectDeadline
        case .open where requests.isEmpty: idleSince.flatMap { since in maximumIdle.map { since + $0 } }
        case .open: earliestDeadline
        case .closed: nil
        }
    }

    private var earliestDeadline: Instant? {
        var earliest = muted?.until
        for request in requests where !isMuted(request) {
            earliest = earliest.map { min($0, request.deadline) } ?? request.deadline
        }
        return earliest
    }

    /// Whether a request waits for the end of the broker's pause.
    private func isMuted(_ request: Request) -> Bool { muted != nil && !request.isBegun }

    /// Whether a request must not begin: during the broker's pause, or because an authentication goes first.
    private func isHeldBack(_ request: Request) -> Bool {
        isMuted(request) || isAuthenticating && !request.isBegun && !request.isAuthentication
    }

    /// Whether there are bytes to write.
    var wantsToWrite: Bool { nextToWrite != nil }

    /// The index of the request to write.
    private var nextToWrite: Int? {
        guard case .open = state, let index = requests.firstIndex(where: { $0.frame != nil }),
            !isHeldBack(requests[index])
        else { return nil }
        return index
    }

    // MARK: Events

    /// Appends a request. Not to be called once the connection has ended.
    ///
    /// - Parameters:
    ///   - id: The correlation id, unique among the requests.
    ///   - opensConnection: Whether the request must be answered before `connectDeadline` as well.
    mutating func submit(
        _ id: Int32, _ frame: RequestFrame, deadline: Instant, opensConnection: Bool = false, expectsResponse: Bool
    ) {
        guard !isClosed else { return }
        requests.append(
            Request(
                id: id, deadline: opensConnection ? min(deadline, connectDeadline) : deadline,
                expectsResponse: expectsResponse, latestDeadline: opensConnection ? deadline : nil, frame: frame))
    }

    /// Inserts a request of an authentication before all that have not begun. Those wait, from the first such request
    /// until `resume`.
    ///
    /// - Parameter timeout: How long the broker has, counted from the deadlines of the requests that it answers before,
    ///   such as a fetch or JoinGroup that it holds back.
    mutating func authenticate(_ id: Int32, _ frame: RequestFrame, _ now: Instant, timeout: Duration) {
        guard !isClosed else { return }
        isAuthenticating = true
        let index = requests.firstIndex { $0.frame != nil && !$0.isBegun } ?? requests.endIndex
        let start = requests[..<index].map(\.deadline).max() ?? now
        requests.insert(
            Request(
                id: id, deadline: max(start, now) + timeout, expectsResponse: true, isAuthentication: true,
                frame: frame),
            at: index)
    }

    /// Ends the authentication: the requests that waited for it may begin.
    mutating func resume() {
        isAuthenticating = false
    }

    /// Cancels a request. It isn't sent if its writing has not begun; otherwise its response is dropped.
    mutating func abandon(_ id: Int32) {
        guard let index = requests.firstIndex(where: { $0.id == id }) else { return }
        if requests[index].isBegun {
            requests[index].isAbandoned = true
        } else {
            requests.remove(at: index)
        }
    }

    mutating func connected() {
        if case .connecting = state { state = .open }
    }

    /// Another address of the host is tried, which has until `deadline`.
    mutating func connectsAnew(until deadline: Instant) {
        guard case .connecting = state else { return }
        connectDeadline = deadline
        for index in requests.indices {
            if let latest = requests[index].latestDeadline { requests[index].deadline = min(latest, deadline) }
        }
    }

    /// The broker asks for a pause: requests that have not begun wait, and their deadlines move by as much.
    mutating func mute(from now: Instant, until: Instant) {
        guard until > now else { return }
        muted = (muted?.since ?? now, max(muted?.until ?? until, until))
    }

    /// Begins, or continues, to write the next request.
    ///
    /// - Returns: Its frame, and how many of its bytes are written; nil if there is nothing to write.
    mutating func beginWrite() -> (frame: RequestFrame, written: Int)? {
        guard let index = nextToWrite, let frame = requests[index].frame else { return nil }
        requests[index].isBegun = true
        return (frame, requests[index].written)
    }

    /// The kernel took `count` bytes of the request that `beginWrite` returned.
    mutating func wrote(_ count: Int) -> [Action] {
        guard let index = requests.firstIndex(where: { $0.frame != nil }), let frame = requests[index].frame
        else { return [] }
        requests[index].isBegun = true
        requests[index].written += count
        guard requests[index].written >= frame.byteCount else { return [] }
        // The record batches in it may be needed again, for a retry.
        requests[index].frame = nil
        guard !requests[index].expectsResponse else { return [] }
        let request = requests.remove(at: index)
        return request.isAbandoned ? [] : [.written(request.id)]
    }

    /// Checks a response's length. An impossible one ends the connection.
    mutating func receivedFrameLength(_ length: Int32) -> [Action] {
        if length >= 4, Int(length) <= maximumFrame {
            responseLength = length
            return []
        }
        let (reason, isOther, failure) = explain(length)
        if length > maximumFrame, failure == nil { responseLength = length }
        return fail(KafkaError(.networkException, reason, isRetriable: !isOther).because(failure))
    }

    /// Matches a response, which begins with this correlation id, with the oldest request.
    mutating func received(correlationID: Int32) -> [Action] {
        responseLength = nil
        guard let oldest = requests.first, oldest.frame == nil else {
            return fail(
                KafkaError(
                    .networkException,
                    "\(broker) sent a response (correlation id \(correlationID)) to no request"))
        }
        guard oldest.id == correlationID else {
            return fail(
                KafkaError(
                    .networkException,
                    "\(broker) answered request \(correlationID), but the response to \(oldest.id) was due"))
        }
        requests.removeFirst()
        return oldest.isAbandoned ? [] : [.answer(oldest.id)]
    }

    /// Checks all deadlines.
    mutating func tick(_ now: Instant) -> [Action] {
        if let pause = muted, now >= pause.until {
            for index in requests.indices where !requests[index].isBegun {
                requests[index].deadline += pause.until - pause.since
            }
            muted = nil
        }
        switch state {
        case .connecting where now >= connectDeadline:
            return fail(
                KafkaError(.networkException, "\(broker) can't be reached: the connection attempt timed out")
                    .because(.silent))
        case .connecting, .open:
            // An abandoned request counts too, since the responses behind it are late as well.
            guard requests.contains(where: { $0.deadline <= now && !isMuted($0) }) else { return tickIdle(now) }
            return fail(KafkaError(.requestTimedOut, "\(broker) did not respond in time"))
        case .closed:
            return []
        }
    }

    private mutating func tickIdle(_ now: Instant) -> [Action] {
        guard case .open = state, requests.isEmpty, let maximumIdle else {
            idleSince = nil
            return []
        }
        guard let since = idleSince, now >= since + maximumIdle else {
            idleSince = idleSince ?? now
            return []
        }
        return [.idle]
    }

    /// Ends the connection: every request fails with `reason`.
    mutating func fail(_ reason: KafkaError) -> [Action] {
        if case .closed = state { return [] }
        state = .closed(reason)
        // Only the oldest request's response can have begun to arrive.
        var oldestReason = reason
        oldestReason.responseLength = responseLength.map(Int.init)
        let oldest = requests.first?.id
        let failed = requests.filter { !$0.isAbandoned }.map {
            Action.fail($0.id, $0.id == oldest ? oldestReason : reason)
        }
        requests = []
        return failed + [.closeSocket(reason)]
    }
}
