/// What becomes of batches that were sent.
extension ProducerSender {
    func accept(_ answer: ProduceAnswer) {
        let batches = answer.batches
        inFlightByNode[answer.node, default: 1] -= 1
        for (key, batch) in batches {
            update(key) { _ = $0.cameBack(batch) }
            untold[ObjectIdentifier(batch.outcome)] = nil
        }
        switch answer.result {
        case .failure(let error):
            let error = error as? KafkaError ?? KafkaError(.networkException, "the request was cancelled")
            for batch in batches.values { failed(batch, error) }
        case .success(nil):
            for batch in batches.values { written(batch, baseOffset: -1, logAppendTime: -1) }
        case .success(.some(let response)):
            var left = batches
            for topic in response.responses {
                for partition in topic.partitionResponses {
                    let name = topic.name.isEmpty ? answer.topicNames[topic.topicId] : topic.name
                    let key = TopicPartition(topic: name ?? "", partition: partition.index)
                    guard let batch = left.removeValue(forKey: key) else { continue }
                    accept(partition, for: batch)
                }
            }
            for batch in left.values {
                failed(batch, KafkaError(.unknownServerError, "the broker left the batch out of its answer"))
            }
        }
    }

    private func accept(_ response: ProduceResponse.PartitionResponse, for batch: ProducerBatch) {
        let code = ErrorCode(rawValue: response.errorCode)
        switch code {
        case .none, .duplicateSequenceNumber:
            // A duplicate is a batch whose first answer was lost: it is there.
            written(batch, baseOffset: response.baseOffset, logAppendTime: response.logAppendTimeMs)
        default:
            let reason = response.recordErrors.first?.batchIndexErrorMessage ?? response.errorMessage
            let error = KafkaError(
                code, reason ?? "the broker refused the batch", isFromBroker: true, topic: batch.partition.topic,
                partition: batch.partition.partition)
            if !isolate(response.recordErrors.map(\.batchIndex), of: batch, error) { failed(batch, error) }
        }
    }

    /// Splits a batch of which the broker refused only some records (KIP-467), so that the others are written.
    ///
    /// A transaction fails as a whole anyway.
    ///
    /// - Parameter refused: The indexes of the records in the batch.
    /// - Returns: False if there is nothing to split.
    private func isolate(_ refused: [Int32], of batch: ProducerBatch, _ error: KafkaError) -> Bool {
        guard transactions == nil, !batch.mayBeWritten, !isStopped, !isExpired(batch),
            let index = batch.splitIndex(isolating: refused),
            let parts = try? batch.split(at: index, maximumBytes: Int(Int32.max), pool: accumulator.pool)
        else { return false }
        replace(batch, by: parts, error)
        return true
    }

    private func replace(_ batch: ProducerBatch, by parts: (ProducerBatch, ProducerBatch), _ error: KafkaError) {
        update(batch.partition) { $0.goesSingly = true }
        accumulator.replace(batch, by: parts.0, parts.1)
        for part in [parts.0, parts.1] { dropIfAborted(part, error) }
        accumulator.signal.notify()
    }

    private func written(_ batch: ProducerBatch, baseOffset: Int64, logAppendTime: Int64) {
        update(batch.partition) { $0.wasWritten() }
        reportEnd(of: batch.partition, succeeded: true)
        accumulator.settle(batch, .success(.init(baseOffset: baseOffset, logAppendTime: logAppendTime)))
    }

    private func failed(_ batch: ProducerBatch, _ error: KafkaError) {
        var batch = batch
        if batch.encoded != nil, error.leavesOpenWhetherWritten { batch.mayBeWritten = true }
        if error.meansStaleMetadata { stale.insert(batch.partition) }
        if split(batch, after: error) { return }
        guard !isStopped, mayRetry(batch, after: error) else { return giveUp(batch, error) }
        update(batch.partition) { $0.goesSingly = true }
        retryLater(batch.partition)
        let now = cluster.timing.now()
        reportRetry(
            of: batch.partition, error, at: now, after: state(of: batch.partition).notBefore.map { $0 - now })
        putBack(batch, after: error)
    }

    /// Has a batch sent again.
    func putBack(_ batch: ProducerBatch, after error: KafkaError) {
        accumulator.putBack(batch)
        dropIfAborted(batch, error)
    }

    /// Ends a batch that was put back where the transaction was given up at that moment: what waited may have been
    /// failed just before. Nothing would send this one any more, and the abort would wait for it.
    private func dropIfAborted(_ batch: ProducerBatch, _ error: KafkaError) {
        guard transactions?.isSending == false, accumulator.takeBack(batch) else { return }
        giveUp(batch, error)
    }

    private func mayRetry(_ batch: ProducerBatch, after error: KafkaError) -> Bool {
        guard configuration.acks != .none, !isExpired(batch), transactions?.isSending ?? true else { return false }
        guard error.code == .outOfOrderSequenceNumber || error.code == .unknownProducerId else {
            return error.isRetriable
        }
        let state = state(of: batch.partition)
        // Out of order behind a batch that is tried again itself, or isn't answered yet, is what idempotence does for us.
        if !state.hasGap, followsUnsettled(batch) { return true }
        // With nothing before it the broker has lost count, or what stood before it was given up: see `PartitionState`.
        if transactions != nil || batch.mayBeWritten { return false }
        update(batch.partition) { $0.leaderLostCount() }
        return true
    }

    /// Whether a batch of the same partition with a lower number is in flight, or waits to be sent again.
    private func followsUnsettled(_ batch: ProducerBatch) -> Bool {
        guard let sequence = batch.sequence else { return false }
        let waiting = accumulator.firstBatch(of: batch.partition)?.sequence
        return (state(of: batch.partition).inFlight + [waiting]).contains { $0?.precedes(sequence) == true }
    }

    /// Splits a batch of several records that is too large for its topic; the parts are sent in its place.
    private func split(_ batch: ProducerBatch, after error: KafkaError) -> Bool {
        guard error.isFromBroker, error.code == .messageTooLarge || error.code == .recordListTooLarge,
            !batch.mayBeWritten, !isStopped, !isExpired(batch), transactions?.isSending ?? true,
            let halves = try? batch.split(
                at: batch.recordCount / 2, maximumBytes: Int(Int32.max), pool: accumulator.pool)
        else { return false }
        replace(batch, by: halves, error)
        return true
    }

    /// Fails all records that wait for these partitions, and no others. The partitions can be sent to again.
    func fail(_ partitions: some Sequence<TopicPartition>, _ error: KafkaError) {
        for partition in partitions {
            for batch in accumulator.takeAll(of: partition) { giveUp(batch, error) }
        }
    }

    func giveUp(_ batch: ProducerBatch, _ error: KafkaError) {
        update(batch.partition) { $0.gaveUp(batch) }
        reportEnd(of: batch.partition, succeeded: false)
        transactions?.batchFailed(error, hadNumber: batch.sequence != nil)
        accumulator.settle(batch, .failure(error))
    }

    // MARK: Time

    func retryLater(_ partition: TopicPartition) {
        let (backoff, now, random) = (cluster.configuration.backoff, cluster.timing.now(), cluster.timing.random())
        update(partition) { state in
            state.failures += 1
            state.notBefore = now + backoff.delay(afterFailures: state.failures, random: random)
        }
    }

    private func isExpired(_ batch: ProducerBatch) -> Bool {
        cluster.timing.now() - batch.created > configuration.deliveryTimeout
    }

    /// Gives up those of a partition's batches that have been tried for too long. True where there are others.
    func expire(_ partition: TopicPartition) -> Bool {
        while let batch = accumulator.firstBatch(of: partition) {
            guard isExpired(batch) else { return true }
            guard accumulator.takeBatch(of: partition) != nil else { return false }
            giveUp(batch, undelivered(batch))
        }
        return false
    }

    /// Tells the senders of batches in flight that have been tried for too long (KIP-91). The batches go on: their
    /// numbers, and the connection, are others' as well.
    ///
    /// - Returns: When the first of the others will have been.
    func expireInFlight() -> ContinuousClock.Instant? {
        var next: ContinuousClock.Instant?
        for (key, batch) in untold {
            if isExpired(batch) {
                untold[key] = nil
                accumulator.settle(batch, .failure(undelivered(batch)))
            } else {
                let expiry = batch.created + configuration.deliveryTimeout
                next = min(next ?? expiry, expiry)
            }
        }
        return next
    }

    private func undelivered(_ batch: ProducerBatch) -> KafkaError {
        KafkaError(
            .requestTimedOut,
            "the records weren't delivered within delivery.timeout.ms (\(configuration.deliveryTimeout)); a part of them may have been",
            topic: batch.partition.topic, partition: batch.partition.partition)
    }
}
