import Concurrency

extension Cluster {
    /// Repeats an operation until it succeeds, fails for good, or its time is over.
    ///
    /// All calls that an application makes and waits for are retried here. Background work (sending records,
    /// transactions, fetching, group membership) has more to decide and retries by itself. Between two attempts the call
    /// waits, longer each time, and refreshes the metadata if the error says that they are out of date. Failures are
    /// reported by a `RetryReporter`.
    ///
    /// The operation runs in a task of its own. When the time is over, or the client is closed, that task is cancelled
    /// and the call returns without waiting for it. Connection attempts that the operation waited for continue, since
    /// other calls may wait for them too.
    ///
    /// - Parameters:
    ///   - operation: What the call is for, as an infinitive: "create the topic orders".
    ///   - topics: The topics whose leaders matter to the operation.
    ///   - final: Retriable errors that must not be retried, such as UNKNOWN_TOPIC_OR_PARTITION when the caller asks
    ///     whether a topic exists.
    ///   - limit: How long the call may take; `default.api.timeout.ms` if nil. Zero allows one attempt, which may take
    ///     `default.api.timeout.ms`.
    /// - Throws: The last error, or REQUEST_TIMED_OUT with what was tried if no attempt has ended; NETWORK_EXCEPTION,
    ///   not retriable, if the client is closed; `CancellationError`.
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

    /// The error of a call that has used up its time during an attempt.
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

    /// A connection to the broker that decides about topics.
    ///
    /// From Kafka 4.0 on any broker passes such a request on; before, only the controller takes it.
    package func controllerConnection() async throws -> NegotiatedConnection {
        if controllerID == nil { try await refresh(topics: []) }
        guard let controller = controllerID else { return try await anyConnection() }
        return try await connection(to: controller, role: .general)
    }
}
