import Concurrency

extension Fetcher {
    /// Handles a response.
    ///
    /// - Returns: A signal for the moment when the application takes the response; nil if it holds no record.
    func accept(_ response: FetchResponse, from node: Int32, asked: [TopicPartition: Asked]) -> Signal? {
        let gate = Signal()
        var parts: [FetchedPartition] = []
        for topic in response.responses {
            guard let name = topic.topic.isEmpty ? topicNames[topic.topicId] : topic.topic else { continue }
            for answer in topic.partitions {
                let key = TopicPartition(topic: name, partition: answer.partitionIndex)
                // Ignored if the partition was taken away or sought since the request, or if another broker that leads
                // it now has answered meanwhile, or if the request was for another topic of this name.
                guard let asked = asked[key], let partition = partitions[key], partition.slot == asked.slot,
                    partition.position == asked.fetch.position, partition.topicID == asked.fetch.topicID,
                    !partition.hasFailed
                else { continue }
                do throws(KafkaError) {
                    if let part = try accept(answer, of: key, asked, from: node, gate) { parts.append(part) }
                } catch {
                    fail(key, error)
                }
            }
        }
        guard !parts.isEmpty else { return nil }
        setbacks = 0
        budgets[node]?.succeeded()
        buffer.append(parts)
        return gate
    }

    /// Handles one partition's part of a response.
    ///
    /// - Throws: A permanent error of the partition.
    private func accept(
        _ answer: FetchResponse.PartitionData, of key: TopicPartition, _ asked: Asked, from node: Int32, _ gate: Signal
    ) throws(KafkaError) -> FetchedPartition? {
        let code = ErrorCode(rawValue: answer.errorCode)
        guard code == .none else {
            try refused(key, code, by: node)
            return nil
        }
        partitions[key]?.certainty = .fetched
        if answer.divergingEpoch.epoch >= 0 {
            try diverged(key, asked.fetch.position, answer.divergingEpoch, by: node)
            return nil
        }
        partitions[key]?.resets = 0
        if answer.preferredReadReplica >= 0, answer.preferredReadReplica != node {
            partitions[key]?.replica = (
                answer.preferredReadReplica,
                cluster.timing.now() + cluster.configuration.maximumMetadataAge
            )
            attention.notify()
        }
        let isCommittedOnly = configuration.isolationLevel == .readCommitted && answer.lastStableOffset >= 0
        let end = isCommittedOnly ? answer.lastStableOffset : answer.highWatermark
        buffer.saw(asked.slot, highWatermark: answer.highWatermark, end: end)
        return try take(answer, of: key, asked, from: node, end: end, gate)
    }

    /// Moves a partition's position past the batches that have arrived complete.
    ///
    /// - Parameter end: The offset up to which the partition may be read; negative if unknown.
    /// - Throws: A permanent error of the partition.
    private func take(
        _ answer: FetchResponse.PartitionData, of key: TopicPartition, _ asked: Asked, from node: Int32, end: Int64,
        _ gate: Signal
    ) throws(KafkaError) -> FetchedPartition? {
        let fetch = asked.fetch
        guard let records = answer.records, !records.isEmpty else {
            succeeded(.refusals(topic: key.topic), of: key)
            observe(key, RecordBatchReader.Scan(nextOffset: fetch.position.offset), end: end)
            return nil
        }
        let reader = RecordBatchReader(
            topic: key.topic, partition: key.partition, records: records, from: fetch.position.offset,
            checksCRC: configuration.checksCRCs, maximumInflatedBytes: configuration.maximumInflatedBytes,
            pool: cluster.pool,
            leavingOut: configuration.isolationLevel == .readCommitted
                ? AbortedTransactions(answer.abortedTransactions ?? []) : nil)
        let scan: RecordBatchReader.Scan
        do throws(KafkaError) {
            scan = try RecordBatchReader.scan(
                records, from: fetch.position.offset, topic: key.topic, partition: key.partition)
        } catch {
            // The batches before the damaged one are handed out first.
            partitions[key]?.hasFailed = true
            return FetchedPartition(
                slot: asked.slot, reader: reader, next: fetch.position, gate: gate, failure: error)
        }
        guard scan.batchCount > 0 else {
            try fellShort(key, fetch, node, byteCount: records.count, batch: scan.cutOffByteCount)
            return nil
        }
        guard scan.nextOffset > fetch.position.offset else {
            // The same fetch would bring the same batches at once.
            retryLater(
                key, node,
                KafkaError(
                    .corruptMessage, "the broker sent only batches before the offset that was asked for",
                    topic: key.topic, partition: key.partition, offset: fetch.position.offset))
            return nil
        }
        let next = FetchPosition(offset: scan.nextOffset, lastFetchedEpoch: scan.lastLeaderEpoch)
        partitions[key]?.position = next
        if let shortfalls = partitions[key]?.shortfalls, shortfalls > 0 { partitions[key]?.shortfalls = 0 }
        succeeded(.refusals(topic: key.topic), of: key)
        observe(key, scan, end: end)
        return FetchedPartition(slot: asked.slot, reader: reader, next: next, gate: gate)
    }

    private func observe(_ key: TopicPartition, _ scan: RecordBatchReader.Scan, end: Int64) {
        // A replica may be behind the leader that the position comes from.
        cluster.observer?.fetched(
            key, records: scan.recordCount, batches: scan.batchCount, bytes: scan.byteCount,
            lag: end < 0 ? nil : offsetDistance(from: scan.nextOffset, to: end))
    }

    /// Handles an error code of one partition.
    ///
    /// - Throws: A permanent error of the partition.
    private func refused(_ key: TopicPartition, _ code: ErrorCode, by node: Int32) throws(KafkaError) {
        func error(_ message: String, isRetriable: Bool? = nil) -> KafkaError {
            KafkaError(
                code, message, isFromBroker: true, isRetriable: isRetriable, topic: key.topic,
                partition: key.partition, offset: partitions[key]?.position?.offset)
        }
        switch code {
        case .offsetOutOfRange where partitions[key]?.replica?.node == node:
            // The replica may be behind; only the leader decides.
            partitions[key]?.replica = nil
            setbacks += 1
        case .offsetOutOfRange:
            guard let place = offsetReset.place(now: KafkaTimestamp(millisecondsSince1970: cluster.timing.wallClock()))
            else {
                throw error("the log doesn't have this offset (any more, or yet)")
            }
            partitions[key]?.start = place
            partitions[key]?.position = nil
            // The place that the broker itself has named should be in the log.
            if let resets = partitions[key]?.resets, resets > 0 {
                setbacks += 1
                retries(
                    .refusals(topic: key.topic),
                    error("the log doesn't have the offset that the broker named itself"), of: key)
            }
            partitions[key]?.resets += 1
        case .corruptMessage:
            throw error("the broker's log is damaged", isRetriable: false)
        // A broker may fail for a moment with an error that it has no code for.
        case _ where code.isRetriable, .unknownServerError:
            retryLater(key, node, error("the broker refused to have the partition fetched"))
        default:
            throw error("the broker refused to have the partition fetched")
        }
        attention.notify()
    }

    /// Fetches a partition again after a pause, from the broker that leads it then.
    func retryLater(_ key: TopicPartition, _ node: Int32, _ error: KafkaError) {
        leave(node, key)
        setbacks += 1
        retries(.refusals(topic: key.topic), error, of: key)
        attention.notify()
    }
}
