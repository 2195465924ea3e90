/// The outcome of asking for a record with a time limit.
enum RecordStep: Sendable {
    case record(ConsumerRecord)
    case timedOut
    case finished
}

// Record by record with a time limit, for the helpers that collect or distribute records.
extension KafkaConsumer {
    /// Hands out the next record. Those before it are processed.
    ///
    /// - Parameter timeout: The longest time to wait; nil to wait for as long as it takes. `wakeUp` ends the wait as well.
    nonisolated(nonsending) func nextRecord(_ reader: inout BatchReader, timeout: Duration?) async throws -> RecordStep
    {
        var reason = FetchBuffer.NoRecord.exhausted
        var record: ConsumerRecord?
        while true {
            if buffer.nextRecord(&reader, into: &record, otherwise: &reason), let record { return .record(record) }
            switch try await waitForRecord(&reader, reason, timeout: timeout) {
            case .mayHaveRecord: continue
            case .timedOut: return .timedOut
            case .finished: return .finished
            }
        }
    }

    /// The outcome of waiting for a record.
    enum RecordWait {
        /// The buffer may have a record now.
        case mayHaveRecord
        case timedOut
        case finished
    }

    /// Waits after the buffer had no record.
    ///
    /// - Parameters:
    ///   - reason: Why there was none.
    ///   - timeout: As in `nextRecord`.
    func waitForRecord(
        _ reader: inout BatchReader, _ reason: FetchBuffer.NoRecord, timeout: Duration?
    ) async throws -> RecordWait {
        switch reason {
        case .failed(let failure):
            try await handle(failure)
            return .mayHaveRecord
        case .held:
            if isInHandler { throw inHandler("next") }
            defer { buffer.endNext(reader) }
            try await buffer.rest()
            return .mayHaveRecord
        case .exhausted: break
        }
        switch try await step(&reader, timeout: timeout, isWhole: false) {
        case .batch: return .mayHaveRecord
        case .timedOut: return .timedOut
        case .finished: return .finished
        }
    }

    /// - Throws: INVALID_CONFIG if the consumer has a group and commits automatically.
    func requireManualCommits(for call: String) throws(KafkaError) {
        if let settingsError { throw settingsError }
        guard settings.group.groupID != nil, settings.group.commitsAutomatically else { return }
        throw KafkaError(
            .invalidConfig,
            "\(call) needs enable.auto.commit=false: automatic commits would include records that are not processed yet",
            isRetriable: false)
    }
}
