import Concurrency

extension Cluster {
    /// Retries an operation until it succeeds, fails permanently or times out.
    ///
    /// All calls that an application makes and waits for are retried here. Background work (sending records,
    /// transactions, fetching, group membership) has rules of its own and retries by itself. Between attempts the call
    /// backs off, and refreshes the metadata if the error says that it is stale. A `RetryReporter` reports the
    /// failures.
    ///
    /// The operation runs in its own task. When the call times out, or the client is closed, that task is cancelled and
    /// the call returns without waiting for it. Connection attempts continue, since other calls may wait for them too.
    ///
    /// - Parameters:
    ///   - operation: The purpose of the call, as an infinitive: "create the topic orders".
    ///   - topics: The topics whose leaders matter to the operation.
    ///   - final: Retriable errors that must not be retried, such as UNKNOWN_TOPIC_OR_PARTITION when the caller asks
    ///     whether a topic exists.
    ///   - limit: The time limit of the call; `default.api.timeout.ms` if nil. Zero allows one attempt, which may take
    ///     `default.api.timeout.ms`.
    /// - Throws: The last error, or REQUEST_TIMED_OUT with the connection attempts in progress if no attempt has ended;
    ///   NETWORK_EXCEPTION, not retriable, if the client is closed; `CancellationError`.
    package nonisolated func retrying<Result: Sendable>(
        operation: String, topics: [String] = [], final: Set<ErrorCode> = [], limit: Duration? = nil,
        _ attempt: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        let limit = limit ?? configuration.defaultAPITimeout
        let patience = limit > .zero ? limit : configuration.defaultAPITimeout
        let deadline = timing.now() + limit
        let lastError = Lock<KafkaError?>(nil)
        let outcome = Promise<Swift.Result<Result, any Error>?>()
        guard let call = calls.add({ outcome.fulfil(.failure(Self.clientIsClosed)) }) else { throw Self.clientIsClosed }
        let work = Task {
            do {
                let result = try await self.attempts(operation, topics, final, until: deadline, lastError, attempt)
                outcome.fulfil(.success(result))
            } catch {
                outcome.fulfil(.failure(error))
            }
        }
        let timer = Task { [timing] in
            try await timing.timeout(patience)
            outcome.fulfil(nil)
        }
        defer {
            timer.cancel()
            work.cancel()
            calls.remove(call)
        }
        let result = await withTaskCancellationHandler {
            await outcome.value()
        } onCancel: {
            outcome.fulfil(.failure(CancellationError()))
        }
        if let result { return try result.get() }
        throw await timedOut(operation, after: patience, lastError.withLock { $0 })
    }

    private nonisolated func attempts<Result: Sendable>(
        _ operation: String, _ topics: [String], _ final: Set<ErrorCode>, until deadline: ContinuousClock.Instant,
        _ lastError: borrowing Lock<KafkaError?>, _ attempt: @Sendable () async throws -> Result
    ) async throws -> Result {
        var retry = Retry(operation, in: self, until: deadline, final: final)
        while true {
            do {
                let result = try await attempt()
                retry.succeeded(in: self)
                return result
            } catch let error as KafkaError {
                guard let pause = retry.failed(error, in: self) else { throw error }
                lastError.withLock { $0 = error }
                observer?.retries(error, failures: retry.failures, after: pause)
                try await timing.sleep(pause)
                if error.meansStaleMetadata { _ = try? await refresh(topics: topics) }
                try Task.checkCancellation()
            }
        }
    }

    /// The error of a call that timed out during an attempt.
    private func timedOut(_ operation: String, after limit: Duration, _ lastError: KafkaError?) -> KafkaError {
        let attempts = connections.pending(timing.now(), besides: lastError?.message ?? "")
        guard let lastError else {
            let tried = attempts ?? "the broker did not answer"
            return KafkaError(.requestTimedOut, "cannot \(operation) within \(limit): \(tried)").because(.silent)
        }
        guard let attempts else { return lastError }
        var error = KafkaError(
            lastError.code, "\(lastError.message); \(attempts)", isFromBroker: lastError.isFromBroker,
            isRetriable: lastError.isRetriable, topic: lastError.topic, partition: lastError.partition,
            offset: lastError.offset)
        error.divergentOffset = lastError.divergentOffset
        error.connectionFailure = lastError.connectionFailure
        return error
    }

    /// A connection to the controller, which creates and deletes topics.
    ///
    /// Since Kafka 4.0 every broker forwards such requests to the controller; before, only the controller accepts them.
    package func controllerConnection() async throws -> NegotiatedConnection {
        if controllerID == nil { try await refresh(topics: []) }
        guard let controller = controllerID else { return try await anyConnection() }
        return try await connection(to: controller, role: .general)
    }
}
