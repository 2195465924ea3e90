import Concurrency

/// The requests of one connection, from the call that submits one until its response: the connection's only queue.
///
/// Callers submit and cancel on any thread. The event loop's thread writes the requests and matches the responses.
/// `ConnectionStateMachine` has the rules.
final class RequestQueue: Sendable {
    /// The response's frame without its length; nil if no response was expected.
    typealias Response = Result<ByteSlice?, any Error>
    /// Called once, on the event loop's thread or the one that cancels or submits; it must not block.
    typealias Completion = @Sendable (Response) -> Void

    /// What the event loop's thread looks at after each turn.
    struct Status {
        var isClosed = false
        var wantsToWrite = false
        var connectDeadline: ContinuousClock.Instant
        var nextDeadline: ContinuousClock.Instant?
        /// Why a caller wants the connection closed; nil if none does.
        var closeRequest: KafkaError?
    }

    private struct State: ~Copyable {
        /// The requests in the order in which they are written and answered.
        var machine: ConnectionStateMachine
        /// The callers that wait for a response. Whoever removes a completion must call it, once.
        var completions: [Int32: Completion] = [:]
        var nextID: Int32 = 0
        var closeRequest: KafkaError?
        var pauseEnd: ContinuousClock.Instant?
        var wasReached = false
        var wasEstablished = false
        var end: DisconnectReason?
        /// The observer of the end. Whoever removes it must call it, once.
        var onEnd: (@Sendable (DisconnectReason) -> Void)?

        init(machine: consuming ConnectionStateMachine) {
            self.machine = machine
        }

        mutating func effects(
            of actions: [ConnectionStateMachine.Action], _ response: ByteSlice?, _ end: DisconnectReason?
        ) -> Effects {
            var effects = Effects()
            func complete(_ id: Int32, _ response: Response) {
                guard let completion = completions.removeValue(forKey: id) else { return }
                effects.completions.append((completion, response))
            }
            for action in actions {
                switch action {
                case .answer(let id): complete(id, .success(response))
                case .written(let id): complete(id, .success(nil))
                case .fail(let id, let error): complete(id, .failure(error))
                case .idle:
                    let reason = KafkaError(
                        .networkException, "the connection to \(machine.broker) was closed, since it wasn't used")
                    let actions = machine.fail(reason)
                    return self.effects(of: actions, nil, .idle)
                case .closeSocket(let reason):
                    // If this side wants it closed that is the reason, though the broker may close it first.
                    let end = self.end ?? (closeRequest == nil ? end ?? .failed(reason) : .closed)
                    self.end = end
                    effects.end = end
                    effects.onEnd = onEnd
                    onEnd = nil
                    effects.closesSocket = true
                }
            }
            return effects
        }
    }

    /// What follows from an event. Its closures are called after the lock is released.
    private struct Effects {
        var completions: [(completion: Completion, response: Response)] = []
        var onEnd: (@Sendable (DisconnectReason) -> Void)?
        var end: DisconnectReason?
        var closesSocket = false
    }

    /// Guards all that callers and the event loop's thread share: the requests with their completions, and whether and why
    /// the connection has ended.
    private let state: Lock<State>
    private let wake: @Sendable () -> Void

    /// - Parameter wake: Has the event loop serve the connection.
    init(machine: consuming sending ConnectionStateMachine, wake: @escaping @Sendable () -> Void) {
        state = Lock(State(machine: machine))
        self.wake = wake
    }

    // MARK: For callers

    /// The correlation id for the next request; ids start over after 2³¹ - 1.
    func reserveID() -> Int32 {
        state.withLock { state in
            defer { state.nextID = state.nextID == .max ? 0 : state.nextID + 1 }
            return state.nextID
        }
    }

    func submit(
        id: Int32, frame: RequestFrame, deadline: ContinuousClock.Instant, opensConnection: Bool = false,
        expectsResponse: Bool, completion: @escaping Completion
    ) {
        append(id, completion) { machine in
            machine.submit(
                id, frame, deadline: deadline, opensConnection: opensConnection, expectsResponse: expectsResponse)
        }
    }

    func authenticate(id: Int32, frame: RequestFrame, timeout: Duration, completion: @escaping Completion) {
        append(id, completion) { machine in machine.authenticate(id, frame, .now, timeout: timeout) }
    }

    /// Lets the requests go that wait for an authentication.
    func resume() {
        state.withLock { $0.machine.resume() }
        wake()
    }

    private func append(
        _ id: Int32, _ completion: @escaping Completion, _ append: (inout ConnectionStateMachine) -> Void
    ) {
        let refusal: (any Error)? = state.withLock { state in
            if let reason = state.machine.closed { return reason }
            // A cancellation that came before the completion was stored found nothing to remove.
            if Task.isCancelled { return CancellationError() }
            state.completions[id] = completion
            append(&state.machine)
            return nil
        }
        if let refusal {
            completion(.failure(refusal))
        } else {
            wake()
        }
    }

    func cancel(id: Int32) {
        let completion = state.withLock { state in
            let completion = state.completions.removeValue(forKey: id)
            if completion != nil { state.machine.abandon(id) }
            return completion
        }
        guard let completion else { return }
        completion(.failure(CancellationError()))
        // Its deadline may have been the next.
        wake()
    }

    func close(_ reason: KafkaError) {
        state.withLock { $0.closeRequest = $0.closeRequest ?? reason }
        wake()
    }

    /// Begins no request before then (KIP-219).
    func mute(until: ContinuousClock.Instant) {
        state.withLock { state in
            state.pauseEnd = max(state.pauseEnd ?? until, until)
            state.machine.mute(from: .now, until: until)
        }
        wake()
    }

    /// Has `body` called when the connection ends, or at once if it has ended.
    func onEnd(_ body: @escaping @Sendable (DisconnectReason) -> Void) {
        let end = state.withLock { state in
            if state.end == nil { state.onEnd = body }
            return state.end
        }
        if let end { body(end) }
    }

    /// Why no request is accepted any more; nil while requests are accepted.
    var closed: KafkaError? { state.withLock { $0.machine.closed } }

    var wasEstablished: Bool { state.withLock { $0.wasEstablished } }

    var wasReached: Bool { state.withLock { $0.wasReached } }

    /// When the pause ends that the broker has asked for; nil if there is none.
    var pauseEnd: ContinuousClock.Instant? {
        state.withLock { state in
            if let end = state.pauseEnd, end <= .now { state.pauseEnd = nil }
            return state.pauseEnd
        }
    }

    // MARK: For the event loop's thread

    var status: Status {
        state.withLock { state in
            Status(
                isClosed: state.machine.isClosed, wantsToWrite: state.machine.wantsToWrite,
                connectDeadline: state.machine.connectDeadline, nextDeadline: state.machine.nextDeadline,
                closeRequest: state.closeRequest)
        }
    }

    func reached() {
        state.withLock { $0.wasReached = true }
    }

    /// The connection is open: requests may be written.
    func established() {
        state.withLock { state in
            state.wasEstablished = true
            state.machine.connected()
        }
    }

    /// Another address of the host is tried, which has until `deadline`.
    func reconnects(until deadline: ContinuousClock.Instant) {
        state.withLock { $0.machine.connectsAnew(until: deadline) }
    }

    /// The frame to write, and how many of its bytes are written already; nil if there is nothing to write.
    ///
    /// The request counts as begun from then on, so that no other request takes its place meanwhile.
    func nextWrite() -> (frame: RequestFrame, written: Int)? {
        state.withLock { $0.machine.beginWrite() }
    }

    // The following return whether the connection has ended, so that its socket has to be closed.

    func wrote(_ count: Int) -> Bool {
        apply { $0.wrote(count) }
    }

    /// Checks a response's length.
    func receivedFrameLength(_ length: Int32) -> Bool {
        apply { $0.receivedFrameLength(length) }
    }

    func received(_ frame: ByteSlice) -> Bool {
        var reader = WireReader(frame, isFlexible: false)
        let id = reader.int32()
        return apply(response: frame) { $0.received(correlationID: id) }
    }

    func tick(_ now: ContinuousClock.Instant) -> Bool {
        apply { $0.tick(now) }
    }

    /// - Parameter end: The reason to report; by default that of the failure.
    func fail(_ reason: KafkaError, _ end: DisconnectReason? = nil) -> Bool {
        apply(end: end) { $0.fail(reason) }
    }

    /// Applies an event, then calls the completions of the requests that it ends.
    private func apply(
        response: ByteSlice? = nil, end: DisconnectReason? = nil,
        _ event: (inout ConnectionStateMachine) -> [ConnectionStateMachine.Action]
    ) -> Bool {
        let effects: Effects = state.withLock { state in
            let actions = event(&state.machine)
            return actions.isEmpty ? Effects() : state.effects(of: actions, response, end)
        }
        // The connection is unusable by now, as an observer of its end expects.
        for (completion, response) in effects.completions { completion(response) }
        if let onEnd = effects.onEnd, let end = effects.end { onEnd(end) }
        return effects.closesSocket
    }
}
