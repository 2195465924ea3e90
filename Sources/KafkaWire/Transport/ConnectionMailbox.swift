import Concurrency

/// Where callers on any task and a connection's event loop meet: requests go in, answers come out.
final class ConnectionMailbox: Sendable {
    /// The frame without its length; nil where no answer was expected.
    typealias Answer = Result<ByteSlice?, any Error>
    /// Called once, on the event loop's thread or the one that cancels or submits; it mustn't block.
    typealias Completion = @Sendable (Answer) -> Void

    enum Command: Sendable {
        /// One that opens the connection has no longer than connecting may take.
        case submit(
            id: Int32, frame: [UInt8], deadline: ContinuousClock.Instant, opensConnection: Bool, expectsResponse: Bool)
        /// A request of an authentication: it goes before others, which wait until `resume`.
        case authenticate(id: Int32, frame: [UInt8], timeout: Duration)
        case resume
        case abandon(id: Int32)
        /// Nothing is to be begun before then (KIP-219).
        case mute(until: ContinuousClock.Instant)
        case close(KafkaError)
    }

    private struct State {
        var commands: [Command] = []
        var nextID: Int32 = 0
        /// Who waits for an answer. Whoever takes a completion out has to call it, once.
        var waiting: [Int32: Completion] = [:]
        var closed: KafkaError?
        /// Whether this side wants it to end: then that is why it ends, though the broker may hang up first.
        var isToClose = false
        var wasReached = false
        var wasEstablished = false
        var end: DisconnectReason?
        /// Who wants to know of the end. Whoever takes it out has to call it, once.
        var onEnd: (@Sendable (DisconnectReason) -> Void)?
    }

    private let state = Lock(State())
    private let wake: @Sendable () -> Void

    /// - Parameter wake: Has the event loop look for commands.
    init(wake: @escaping @Sendable () -> Void) {
        self.wake = wake
    }

    // MARK: For callers

    /// The correlation id for the next request; ids start over after 2^31 - 1.
    func reserveID() -> Int32 {
        state.withLock { state in
            defer { state.nextID = state.nextID == .max ? 0 : state.nextID + 1 }
            return state.nextID
        }
    }

    func submit(
        id: Int32, frame: [UInt8], deadline: ContinuousClock.Instant, opensConnection: Bool = false,
        expectsResponse: Bool, completion: @escaping Completion
    ) {
        submit(
            id: id,
            .submit(
                id: id, frame: frame, deadline: deadline, opensConnection: opensConnection,
                expectsResponse: expectsResponse), completion)
    }

    func authenticate(id: Int32, frame: [UInt8], timeout: Duration, completion: @escaping Completion) {
        submit(id: id, .authenticate(id: id, frame: frame, timeout: timeout), completion)
    }

    /// What waits for an authentication may go out.
    func resume() {
        state.withLock { $0.commands.append(.resume) }
        wake()
    }

    private func submit(id: Int32, _ command: Command, _ completion: @escaping Completion) {
        let refused: Answer? = state.withLock { state in
            if let reason = state.closed { return .failure(reason) }
            // A cancellation that came before the completion was in its place found nothing to take out.
            if Task.isCancelled { return .failure(CancellationError()) }
            state.waiting[id] = completion
            state.commands.append(command)
            return nil
        }
        if let refused {
            completion(refused)
        } else {
            wake()
        }
    }

    func cancel(id: Int32) {
        let waiting = state.withLock { state in
            let waiting = state.waiting.removeValue(forKey: id)
            if waiting != nil { state.commands.append(.abandon(id: id)) }
            return waiting
        }
        waiting?(.failure(CancellationError()))
        wake()
    }

    func close(_ reason: KafkaError) {
        state.withLock { state in
            state.isToClose = true
            state.commands.append(.close(reason))
        }
        wake()
    }

    func mute(until: ContinuousClock.Instant) {
        state.withLock { $0.commands.append(.mute(until: until)) }
        wake()
    }

    /// Has `body` called when the connection ends, or at once where it has.
    func onEnd(_ body: @escaping @Sendable (DisconnectReason) -> Void) {
        let end = state.withLock { state in
            if state.end == nil { state.onEnd = body }
            return state.end
        }
        if let end { body(end) }
    }

    var closed: KafkaError? { state.withLock { $0.closed } }

    var wasEstablished: Bool { state.withLock { $0.wasEstablished } }

    var wasReached: Bool { state.withLock { $0.wasReached } }

    // MARK: For the event loop's thread

    func reached() {
        state.withLock { $0.wasReached = true }
    }

    func established() {
        state.withLock { $0.wasEstablished = true }
    }

    func takeCommands() -> [Command] {
        state.withLock { state in
            let commands = state.commands
            state.commands = []
            return commands
        }
    }

    func settle(_ id: Int32, _ answer: Answer) {
        let waiting = state.withLock { $0.waiting.removeValue(forKey: id) }
        waiting?(answer)
    }

    /// No further command will be carried out: whoever still waits, or comes later, is told why.
    ///
    /// - Parameter errors: The errors of single requests, by id; the others fail with `reason`.
    func shut(_ reason: KafkaError, _ end: DisconnectReason, errors: [Int32: KafkaError] = [:]) {
        let (waiting, onEnd, end) = state.withLock { state in
            state.closed = state.closed ?? reason
            let end = state.end ?? (state.isToClose ? .closed : end)
            state.end = end
            state.commands = []
            defer { (state.waiting, state.onEnd) = ([:], nil) }
            return (state.waiting, state.onEnd, end)
        }
        for (id, completion) in waiting { completion(.failure(errors[id] ?? reason)) }
        onEnd?(end)
    }

    /// Ends a connection that isn't used, unless a request has come meanwhile.
    func shutIfUnused(_ reason: KafkaError) -> Bool {
        let isUnused = state.withLock { state in
            guard state.commands.isEmpty, state.waiting.isEmpty else { return false }
            state.closed = state.closed ?? reason
            return true
        }
        if isUnused { shut(reason, .idle) }
        return isUnused
    }
}
