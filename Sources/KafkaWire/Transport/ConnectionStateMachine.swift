/// The rules of one connection to a broker, without the connection: events go in, what is to be done comes out.
///
/// A broker answers in the order of the requests (Kafka protocol guide, "Network"), so requests in flight stand in
/// a queue. A caller that gives up doesn't disturb the others: its request stays in the queue with a mark, and the
/// answer is thrown away. A request whose deadline passes ends the connection, since every answer after it would
/// be late too. So does an answer that doesn't belong to the oldest request, or a frame with an impossible length.
///
/// ```
/// connecting ──connected──▶ open ──close / failure──▶ closed
///      └───────────────failure / deadline────────────────▲
/// ```
struct ConnectionStateMachine: ~Copyable {
    typealias Instant = ContinuousClock.Instant

    /// What the owner of the machine has to do, in this order.
    enum Action: Equatable {
        /// The request with this id has its answer: the frame that was just received.
        case answer(Int32)
        /// The request was written, and no answer will come (acks=0).
        case written(Int32)
        case fail(Int32, KafkaError)
        /// Nothing has been in flight for the longest idle time: unless there is something to do by now, the
        /// connection is to be closed.
        case idle
        /// The socket is to be closed; every request has been failed before, and later ones fail for the same reason.
        case closeSocket(KafkaError)
    }

    private struct Request {
        let id: Int32
        var deadline: Instant
        let expectsResponse: Bool
        /// Whether any of it has been written.
        var isBegun = false
        /// Whether it is part of an authentication.
        var isAuthentication = false
        /// For a request that opens the connection: the latest deadline, whichever address is tried. nil for others.
        var latestDeadline: Instant?
        var isAbandoned = false
        /// What is left to be written of it; nil once it is all in the kernel's hands.
        var unwritten: Int?
    }

    private enum State {
        case connecting
        case open
        case closed(KafkaError)
    }

    private var state = State.connecting
    /// Every request that isn't settled, in the order in which they are written and answered.
    private var requests: [Request] = []
    let broker: String
    /// When the attempt to connect to the current address has taken too long. It limits the requests that open the
    /// connection as well.
    private(set) var connectDeadline: Instant
    let maximumFrame: Int
    private let maximumIdle: Duration?
    /// The length of the response to the oldest request, once it has been read; nil between responses.
    private var responseLength: Int32?
    /// Since when there has been nothing in flight.
    private var idleSince: Instant?
    /// While the broker wants to be left alone, no request is begun (KIP-219).
    private var muted: (since: Instant, until: Instant)?
    /// While the client shows the broker anew who it is, requests that haven't been begun wait: a broker takes nothing
    /// else meanwhile (KIP-368).
    private var isAuthenticating = false

    /// - Parameters:
    ///   - broker: What error messages call the other side.
    ///   - connectDeadline: When the attempt to connect to the first address has taken too long.
    ///   - maximumFrame: The longest answer that is believed, in bytes (`receive.message.max.bytes`).
    ///   - maximumIdle: How long a connection without requests is kept (`connections.max.idle.ms`); nil for ever.
    init(broker: String, connectDeadline: Instant, maximumFrame: Int, maximumIdle: Duration? = nil) {
        self.broker = broker
        self.connectDeadline = connectDeadline
        self.maximumFrame = maximumFrame
        self.maximumIdle = maximumIdle
    }

    var isClosed: Bool {
        if case .closed = state { true } else { false }
    }

    /// The requests that wait for an answer or for being written.
    var pendingCount: Int { requests.count }

    /// Whether nothing that a caller waits for is under way.
    var isIdle: Bool { !requests.contains { !$0.isAbandoned } }

    /// When `tick` has to be called again at the latest.
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

    /// Whether a request isn't sent because its broker wants to be left alone.
    private func isMuted(_ request: Request) -> Bool { muted != nil && !request.isBegun }

    /// Whether a request isn't to be begun: its broker wants to be left alone, or an authentication goes first.
    private func isHeldBack(_ request: Request) -> Bool {
        isMuted(request) || isAuthenticating && !request.isBegun && !request.isAuthentication
    }

    /// Whether there are bytes to be written.
    var wantsToWrite: Bool {
        guard case .open = state, let next = requests.first(where: { $0.unwritten != nil }) else { return false }
        return !isHeldBack(next)
    }

    // MARK: Events

    /// - Parameters:
    ///   - id: The correlation id. The caller gives each request its own.
    ///   - opensConnection: Whether the request must be answered before `connectDeadline` as well.
    mutating func submit(
        _ id: Int32, byteCount: Int, deadline: Instant, opensConnection: Bool = false, expectsResponse: Bool
    ) -> [Action] {
        if case .closed(let reason) = state { return [.fail(id, reason)] }
        requests.append(
            Request(
                id: id, deadline: opensConnection ? min(deadline, connectDeadline) : deadline,
                expectsResponse: expectsResponse, latestDeadline: opensConnection ? deadline : nil,
                unwritten: byteCount))
        return []
    }

    /// A request of an authentication, which goes before all that haven't been begun. Those wait, from the first such
    /// request until `resume`.
    ///
    /// - Parameter timeout: How long the broker has. Where it still has others to answer, such as a fetch or JoinGroup
    ///   that it holds back, it gets to this one only then.
    mutating func authenticate(_ id: Int32, byteCount: Int, _ now: Instant, timeout: Duration) -> [Action] {
        if case .closed(let reason) = state { return [.fail(id, reason)] }
        isAuthenticating = true
        let index = requests.firstIndex { $0.unwritten != nil && !$0.isBegun } ?? requests.endIndex
        let start = requests[..<index].map(\.deadline).max() ?? now
        requests.insert(
            Request(
                id: id, deadline: max(start, now) + timeout, expectsResponse: true, isAuthentication: true,
                unwritten: byteCount),
            at: index)
        return []
    }

    /// The authentication is through: what waited for it goes out.
    mutating func resume() {
        isAuthenticating = false
    }

    /// A caller doesn't want its answer any more. One whose first byte hasn't been written is not sent at all.
    mutating func abandon(_ id: Int32, frameIsUntouched: Bool) {
        guard let index = requests.firstIndex(where: { $0.id == id }) else { return }
        if requests[index].unwritten != nil, frameIsUntouched {
            requests.remove(at: index)
        } else {
            requests[index].isAbandoned = true
        }
    }

    mutating func connected() {
        if case .connecting = state { state = .open }
    }

    /// Another address of the host is tried, with the same time to itself.
    mutating func connectsAnew(until deadline: Instant) {
        guard case .connecting = state else { return }
        connectDeadline = deadline
        for index in requests.indices {
            if let latest = requests[index].latestDeadline { requests[index].deadline = min(latest, deadline) }
        }
    }

    /// The broker wants to be left alone for a while: what hasn't been begun waits, and has that much longer.
    mutating func mute(from now: Instant, until: Instant) {
        guard until > now else { return }
        muted = (muted?.since ?? now, max(muted?.until ?? until, until))
    }

    /// The kernel took `count` bytes of the oldest unwritten request.
    mutating func wrote(_ count: Int) -> [Action] {
        guard let index = requests.firstIndex(where: { $0.unwritten != nil }), let left = requests[index].unwritten
        else { return [] }
        requests[index].isBegun = true
        if count < left {
            requests[index].unwritten = left - count
            return []
        }
        requests[index].unwritten = nil
        guard !requests[index].expectsResponse else { return [] }
        let request = requests.remove(at: index)
        return request.isAbandoned ? [] : [.written(request.id)]
    }

    /// Checks the length that stands before a frame; what can't be a frame ends the connection.
    mutating func announced(frameOf length: Int32) -> [Action] {
        if length >= 4, Int(length) <= maximumFrame {
            responseLength = length
            return []
        }
        let (reason, isOther, failure) = explain(length)
        if length > maximumFrame, failure == nil { responseLength = length }
        return fail(KafkaError(.networkException, reason, isRetriable: !isOther).because(failure))
    }

    /// A whole frame has arrived that begins with this correlation id.
    mutating func received(correlationID: Int32) -> [Action] {
        responseLength = nil
        guard let oldest = requests.first, oldest.unwritten == nil else {
            return fail(
                KafkaError(
                    .networkException,
                    "\(broker) sent an answer (correlation id \(correlationID)) that nobody asked for"))
        }
        guard oldest.id == correlationID else {
            return fail(
                KafkaError(
                    .networkException,
                    "\(broker) answered request \(correlationID) where the answer to \(oldest.id) was due"))
        }
        requests.removeFirst()
        return oldest.isAbandoned ? [] : [.answer(oldest.id)]
    }

    /// Looks at all deadlines.
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
            // An abandoned request counts too: nobody waits for it, but the answers behind it are held up as long.
            guard requests.contains(where: { $0.deadline <= now && !isMuted($0) }) else { return tickIdle(now) }
            return fail(KafkaError(.requestTimedOut, "\(broker) didn't answer in time"))
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
        // The owner may find something to do just now; then it begins again.
        idleSince = now
        return [.idle]
    }

    /// The connection has come to its end: every request fails with `reason`.
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
