import CommandLineSupport
import Concurrency
import KafkaWire

/// The state that all inputs of a `-P` share: the deliveries, the remaining count, and the skipped messages.
final class Sending: Sendable {
    private struct State {
        var left: Int
        var skipped = 0
        /// The exit status for the first skipped message.
        var status = ExitStatus.success
        /// The output of `-T` that is not written yet.
        var copy: [UInt8] = []
    }

    /// The size from which on the output of `-T` is written, in bytes.
    private static let fullSize = 64 << 10

    let client: KafkaClient
    let producer: KafkaProducer
    let deliveries: DeliveryWatch
    let topics: ProducedTopics
    private let skipsErrors: Bool
    private let isCopied: Bool
    private let state: Lock<State>

    init(options: MessageOptions, client: KafkaClient, producer: KafkaProducer) {
        self.client = client
        self.producer = producer
        skipsErrors = options.continuesAfterErrors
        isCopied = options.copiesToOutput
        deliveries = DeliveryWatch(continuesAfterFailures: options.continuesAfterErrors)
        topics = ProducedTopics(client: client, producer: producer)
        state = Lock(State(left: options.count ?? .max))
    }

    /// How many more messages `-c` permits.
    var left: Int { state.withLock { $0.left } }

    // MARK: Errors

    /// Processes one message or file. With `-E` its errors are reported and counted.
    ///
    /// - Throws: Without `-E`, any error of `body`; with `-E`, only errors that end the program.
    func skippingErrors(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch {
            try skip(error)
        }
    }

    /// Reports an error of one message or file, if `-E` permits that.
    ///
    /// - Throws: The error if `-E` is not given or does not apply to it.
    func skip(_ error: any Error) throws {
        guard skipsErrors else { throw error }
        let failure: Failure
        switch error {
        case let error as Failure: failure = error
        case let error as KafkaError where Self.isOfOneMessage(error): failure = Failure(error)
        default: throw error
        }
        Output.standardError.post(line: "% skipped: \(failure.sentence)")
        state.withLock { state in
            if state.skipped == 0 { state.status = failure.status }
            state.skipped += 1
        }
    }

    /// Whether an error of enqueuing concerns only one message.
    static func isOfOneMessage(_ error: KafkaError) -> Bool {
        switch error.code {
        case .messageTooLarge, .recordListTooLarge, .invalidRecord, .invalidTimestamp, .unknownTopicOrPartition,
            .invalidTopicException, .topicAuthorizationFailed:
            true
        default: false
        }
    }

    /// - Throws: A failure if anything was skipped.
    func checkSkipped() throws(Failure) {
        let (skipped, status) = state.withLock { ($0.skipped, $0.status) }
        guard skipped > 0 else { return }
        throw Failure(
            "\(skipped) message\(skipped == 1 ? " was" : "s were") skipped for the reasons above; the others were sent",
            status: status)
    }

    // MARK: Enqueuing

    /// Counts a message that was enqueued.
    func enqueued(_ delivery: Delivery) {
        if delivery.isFirstOfBatch { deliveries.add(delivery) }
        state.withLock { $0.left -= 1 }
    }

    /// Enqueues a message that owns its memory.
    func enqueue(_ record: ProducerRecord) async throws {
        deliveries.add(try await producer.enqueue(record))
        state.withLock { $0.left -= 1 }
    }

    // MARK: `-T`

    /// Adds a message and a delimiter to the output of `-T`.
    func copy(_ message: [UInt8], delimiter: [UInt8]) {
        // The bytes are only used during the call.
        unsafe copy(message.span.bytes, delimiter: delimiter)
    }

    func copy(_ message: RawSpan, delimiter: [UInt8]) {
        guard isCopied else { return }
        var text: [UInt8] = []
        state.withLock { swap(&$0.copy, &text) }
        text.append(contentsOf: message)
        text.append(contentsOf: delimiter)
        state.withLock { swap(&$0.copy, &text) }
    }

    /// Whether `writeCopy` is due.
    var isCopyFull: Bool { isCopied && state.withLock { $0.copy.count >= Self.fullSize } }

    /// Writes the output of `-T` so far.
    func writeCopy() async throws {
        guard isCopied else { return }
        var text: [UInt8] = []
        state.withLock { swap(&$0.copy, &text) }
        if !text.isEmpty { try await Output.standard.write(text) }
    }
}
