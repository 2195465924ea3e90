import Synchronization

/// Where callers on any task and a connection's thread meet: requests go in, answers come out.
final class ConnectionMailbox: Sendable {
    /// The frame without its length; nil where no answer was expected.
    typealias Answer = Result<ByteSlice?, any Error>
    /// Called once, on the connection's thread or the one that cancels or submits; it mustn't block.
    typealias Completion = @Sendable (Answer) -> Void

    enum Command: Sendable {
        case submit(id: Int32, frame: [UInt8], deadline: ContinuousClock.Instant, expectsResponse: Bool)
        case abandon(id: Int32)
        case close(KafkaError)
    }

    private struct State {
        var commands: [Command] = []
        var nextID: Int32 = 0
        /// Who waits for an answer. Whoever takes a completion out has to call it, once.
        var waiting: [Int32: Completion] = [:]
        var closed: KafkaError?
        var wasEstablished = false
    }

    private let state = Mutex(State())
    private let wakeUp: WakeUp

    init(wakeUp: WakeUp) {
        self.wakeUp = wakeUp
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
        id: Int32, frame: [UInt8], deadline: ContinuousClock.Instant, expectsResponse: Bool,
        completion: @escaping Completion
    ) {
        let refused: Answer? = state.withLock { state in
            if let reason = state.closed { return .failure(reason) }
            // A cancellation that came before the completion was in its place found nothing to take out.
            if Task.isCancelled { return .failure(CancellationError()) }
            state.waiting[id] = completion
            state.commands.append(
                .submit(id: id, frame: frame, deadline: deadline, expectsResponse: expectsResponse))
            return nil
        }
        if let refused {
            completion(refused)
        } else {
            wakeUp.signal()
        }
    }

    func cancel(id: Int32) {
        let waiting = state.withLock { state in
            let waiting = state.waiting.removeValue(forKey: id)
            if waiting != nil { state.commands.append(.abandon(id: id)) }
            return waiting
        }
        waiting?(.failure(CancellationError()))
        wakeUp.signal()
    }

    func close(_ reason: KafkaError) {
        state.withLock { $0.commands.append(.close(reason)) }
        wakeUp.signal()
    }

    var closed: KafkaError? { state.withLock { $0.closed } }

    var wasEstablished: Bool { state.withLock { $0.wasEstablished } }

    // MARK: For the connection's thread

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
    func shut(_ reason: KafkaError) {
        let waiting = state.withLock { state in
            state.closed = state.closed ?? reason
            state.commands = []
            let waiting = state.waiting
            state.waiting = [:]
            return waiting
        }
        for completion in waiting.values { completion(.failure(reason)) }
    }
}
