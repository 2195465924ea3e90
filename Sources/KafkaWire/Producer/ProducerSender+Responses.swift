/// The outcomes of batches that were sent, and the decision whether a failure is retried.
extension ProducerSender {
    func accept(_ result: ProduceResult) {
        brokers[result.node]?.requestsInFlight -= 1
        switch result.response {
        case .failure(let error):
            let error = error as? KafkaError ?? KafkaError(.networkException, "the request was cancelled")
            for outcome in result.batches { failed(outcome, error) }
        case .success(nil):
            for outcome in result.batches { succeeded(outcome, baseOffset: -1, logAppendTime: -1) }
        case .success(.some(let response)):
            var left = Dictionary(result.batches.map { ($0.partition, $0) }, uniquingKeysWith: { first, _ in first })
            for topic in response.responses {
                for partition in topic.partitionResponses {
                    let name = topic.name.isEmpty ? result.topicNames[topic.topicId] : topic.name
                    let key = TopicPartition(topic: name ?? "", partition: partition.index)
                    guard let outcome = left.removeValue(forKey: key) else { continue }
                    accept(partition, for: outcome)
                }
            }
            for outcome in left.values {
                failed(outcome, KafkaError(.unknownServerError, "the broker's response does not name the batch"))
            }
        }
    }

    private func accept(_ response: ProduceResponse.PartitionResponse, for outcome: BatchOutcome) {
        let code = ErrorCode(rawValue: response.errorCode)
        switch code {
        case .none, .duplicateSequenceNumber:
            // A duplicate is a batch that was written although its first response was lost.
            succeeded(outcome, baseOffset: response.baseOffset, logAppendTime: response.logAppendTimeMs)
        default:
            let reason = response.recordErrors.first?.batchIndexErrorMessage ?? response.errorMessage
            let error = KafkaError(
                code, reason ?? "the broker refused the batch", isFromBroker: true, topic: outcome.partition.topic,
                partition: outcome.partition.partition)
            failed(outcome, error, refused: response.recordErrors.map(\.batchIndex))
        }
    }

    private func succeeded(_ outcome: BatchOutcome, baseOffset: Int64, logAppendTime: Int64) {
        reportEnd(of: outcome.partition, succeeded: true)
        accumulator.succeeded(outcome, .init(baseOffset: baseOffset, logAppendTime: logAppendTime))
    }

    // MARK: Failures

    /// - Parameter refused: The indexes of the records that the broker refused, if it refused only some.
    private func failed(_ outcome: BatchOutcome, _ error: KafkaError, refused: [Int32] = []) {
        // All batches may have failed meanwhile.
        guard var batch = accumulator.returned(outcome) else { return }
        if isolate(refused, of: batch, error) { return }
        if batch.encoded != nil, error.leavesOpenWhetherWritten { batch.mayBeWritten = true }
        if error.meansStaleMetadata { accumulator.needLookup([batch.partition]) }
        if split(batch, after: error) { return }
        guard !isStopped, mayRetry(batch, after: error) else { return giveUp(batch, error) }
        retry(batch, after: error)
    }

    /// The one decision whether a batch is retried after an error.
    private func mayRetry(_ batch: ProducerBatch, after error: KafkaError) -> Bool {
        guard configuration.acks != .none, !isExpired(batch), transactions?.isSending ?? true else { return false }
        guard error.code == .outOfOrderSequenceNumber || error.code == .unknownProducerId else {
            return error.isRetriable
        }
        // Behind a batch that is retried itself, or has no response yet, the error is to be expected.
        if accumulator.followsUnsettled(batch) { return true }
        // Otherwise the broker has lost the sequence, or the batch before was given up: see `ProducerPartition`.
        if transactions != nil || batch.mayBeWritten { return false }
        accumulator.leaderLostSequence(of: batch.partition)
        return true
    }

    /// Has a batch sent again after a back-off.
    func retry(_ batch: ProducerBatch, after error: KafkaError) {
        let next = accumulator.retry(batch, after: cluster.configuration.backoff)
        let now = cluster.timing.now()
        reportRetry(of: batch.partition, error, at: now, after: next.map { $0 - now })
        dropIfAborted(batch, error)
    }

    /// Ends a batch that was queued again if the transaction was given up at that moment. What waited may have been failed
    /// just before: nothing would send this batch, and the abort would wait for it.
    private func dropIfAborted(_ batch: ProducerBatch, _ error: KafkaError) {
        guard transactions?.isSending == false, accumulator.takeBack(batch) else { return }
        giveUp(batch, error)
    }

    /// Fails all records that wait for these partitions, and no others. The partitions can be sent to again.
    func fail(_ partitions: some Sequence<TopicPartition>, _ error: KafkaError) {
        for partition in partitions {
            for batch in accumulator.takeAll(of: partition) { giveUp(batch, error) }
        }
    }

    func giveUp(_ batch: ProducerBatch, _ error: KafkaError) {
        reportEnd(of: batch.partition, succeeded: false)
        transactions?.batchFailed(error, hadNumber: batch.sequence != nil)
        accumulator.gaveUp(batch, error)
    }

    private func isExpired(_ batch: ProducerBatch) -> Bool {
        cluster.timing.now() - batch.created > configuration.deliveryTimeout
    }

    /// The error of records that were not delivered in time (KIP-91).
    func undelivered(_ batch: ProducerBatch) -> KafkaError {
        KafkaError(
            .requestTimedOut,
            "the records were not delivered within delivery.timeout.ms (\(configuration.deliveryTimeout)); some of them may have been written",
            topic: batch.partition.topic, partition: batch.partition.partition)
    }

    // MARK: Splitting

    /// Splits a batch of which the broker refused only some records (KIP-467), so that the others are written.
    ///
    /// A transaction fails as a whole anyway.
    ///
    /// - Parameter refused: The indexes of the records in the batch.
    /// - Returns: False if there is nothing to split.
    private func isolate(_ refused: [Int32], of batch: ProducerBatch, _ error: KafkaError) -> Bool {
        guard transactions == nil, !batch.mayBeWritten, !isStopped, !isExpired(batch),
            let index = batch.splitIndex(isolating: refused)
        else { return false }
        return split(batch, at: index, error)
    }

    /// Splits a batch of several records that is too large for its topic; the parts are sent in its place.
    private func split(_ batch: ProducerBatch, after error: KafkaError) -> Bool {
        guard error.isFromBroker, error.code == .messageTooLarge || error.code == .recordListTooLarge,
            !batch.mayBeWritten, !isStopped, !isExpired(batch), transactions?.isSending ?? true
        else { return false }
        return split(batch, at: batch.recordCount / 2, error)
    }

    private func split(_ batch: ProducerBatch, at index: Int, _ error: KafkaError) -> Bool {
        guard let parts = try? batch.split(at: index, maximumBytes: Int(Int32.max), pool: accumulator.pool)
        else { return false }
        accumulator.replace(batch, by: parts.0, parts.1)
        for part in [parts.0, parts.1] { dropIfAborted(part, error) }
        accumulator.signal.notify()
        return true
    }
}
