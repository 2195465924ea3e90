import Concurrency

extension Fetcher {
    /// Handles a response.
    ///
    /// - Returns: A signal for the moment when the application takes the response; nil if it holds no record.
    func accept(
        _ response: FetchResponse, from node: Int32, requested: [TopicPartition: RequestedFetch]
    ) -> Signal? {
        let gate = Signal()
        var parts: [FetchedPartition] = []
        for topic in response.responses {
            guard let name = topic.topic.isEmpty ? topicNames[topic.topicId] : topic.topic else { continue }
            for answer in topic.partitions {
                let key = TopicPartition(topic: name, partition: answer.partitionIndex)
                guard let requested = requested[key], let cursor = buffer.cursor(of: key), cursor.awaits(requested)
                else { continue }
                do throws(KafkaError) {
                    if var part = try accept(answer, of: cursor, requested, from: node, gate) {
                        part.brokerID = node
                        parts.append(part)
                    }
                } catch {
                    buffer.queueFailure(cursor.slot, error)
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
        _ answer: FetchResponse.PartitionData, of cursor: PartitionCursor, _ requested: RequestedFetch,
        from node: Int32, _ gate: Signal
    ) throws(KafkaError) -> FetchedPartition? {
        let code = ErrorCode(rawValue: answer.errorCode)
        guard code == .none else {
            try refused(cursor, code, by: node)
            return nil
        }
        guard answer.divergingEpoch.epoch < 0 else {
            buffer.update(cursor.slot) { $0.certainty = .fetched }
            try diverged(cursor, answer.divergingEpoch, by: node)
            return nil
        }
        let isCommittedOnly = configuration.isolationLevel == .readCommitted && answer.lastStableOffset >= 0
        let end = isCommittedOnly ? answer.lastStableOffset : answer.highWatermark
        var replica: (node: Int32, until: ContinuousClock.Instant)?
        if answer.preferredReadReplica >= 0, answer.preferredReadReplica != node {
            replica = (
                answer.preferredReadReplica, cluster.timing.now() + cluster.configuration.maximumMetadataAge
            )
            attention.notify()
        }
        buffer.update(cursor.slot) { cursor in
            cursor.certainty = .fetched
            cursor.resets = 0
            if let replica { cursor.replica = replica }
            cursor.saw(highWatermark: answer.highWatermark, end: end)
        }
        return try take(answer, of: cursor.partition, requested, from: node, end: end, gate)
    }

    /// Moves a partition's position past the batches that have arrived complete.
    ///
    /// - Parameter end: The offset up to which the partition may be read; negative if unknown.
    /// - Throws: A permanent error of the partition.
    private func take(
        _ answer: FetchResponse.PartitionData, of key: TopicPartition, _ requested: RequestedFetch, from node: Int32,
        end: Int64, _ gate: Signal
    ) throws(KafkaError) -> FetchedPartition? {
        let position = requested.fetch.position
        guard let records = answer.records, !records.isEmpty else {
            succeeded(.refusals(topic: key.topic), of: key)
            observe(key, RecordBatchReader.Scan(nextOffset: position.offset), end: end)
            return nil
        }
        let reader = RecordBatchReader(
            topic: key.topic, partition: key.partition, records: records, from: position.offset,
            checksCRC: configuration.checksCRCs, maximumInflatedBytes: configuration.maximumInflatedBytes,
            pool: cluster.pool,
            leavingOut: configuration.isolationLevel == .readCommitted
                ? AbortedTransactions(answer.abortedTransactions ?? []) : nil)
        let scan: RecordBatchReader.Scan
        do throws(KafkaError) {
            scan = try RecordBatchReader.scan(
                records, from: position.offset, topic: key.topic, partition: key.partition)
        } catch {
            // The batches before the damaged one are handed out first.
            buffer.update(requested.slot) { $0.failure = .pending }
            return FetchedPartition(
                slot: requested.slot, reader: reader, next: position, gate: gate, failure: error)
        }
        guard scan.batchCount > 0 else {
            try handleShortfall(key, requested, node, byteCount: records.count, batch: scan.cutOffByteCount)
            return nil
        }
        guard scan.nextOffset > position.offset else {
            // The same fetch would bring the same batches.
            retryLater(
                key, node,
                KafkaError(
                    .corruptMessage, "the broker sent only batches before the offset that was asked for",
                    topic: key.topic, partition: key.partition, offset: position.offset))
            return nil
        }
        let next = FetchPosition(offset: scan.nextOffset, lastFetchedEpoch: scan.lastLeaderEpoch)
        buffer.update(requested.slot) { $0.fetched(upTo: next) }
        succeeded(.refusals(topic: key.topic), of: key)
        observe(key, scan, end: end)
        return FetchedPartition(slot: requested.slot, reader: reader, next: next, gate: gate)
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
    private func refused(_ cursor: PartitionCursor, _ code: ErrorCode, by node: Int32) throws(KafkaError) {
        let key = cursor.partition
        func error(_ message: String, isRetriable: Bool? = nil) -> KafkaError {
            KafkaError(
                code, message, isFromBroker: true, isRetriable: isRetriable, topic: key.topic,
                partition: key.partition, offset: cursor.position?.offset)
        }
        switch code {
        case .offsetOutOfRange where cursor.replica?.node == node:
            // The replica may be behind; only the leader decides.
            buffer.leave(node, [key])
            setbacks += 1
        case .offsetOutOfRange:
            guard let place = offsetReset.place(now: KafkaTimestamp(millisecondsSince1970: cluster.timing.wallClock()))
            else {
                throw error("the log doesn't have this offset (any more, or yet)")
            }
            buffer.update(cursor.slot) { cursor in
                cursor.reset(to: place)
                cursor.resets += 1
            }
            // The offset that the broker has named itself should be in the log.
            if cursor.resets > 0 {
                setbacks += 1
                retries(
                    .refusals(topic: key.topic),
                    error("the log doesn't have the offset that the broker named itself"), of: key)
            }
        case .corruptMessage:
            throw error("the broker's log is damaged", isRetriable: false)
        // A broker may fail temporarily with an error that has no code of its own.
        case _ where code.isRetriable, .unknownServerError:
            retryLater(key, node, error("the broker refused the fetch of the partition"))
        default:
            throw error("the broker refused the fetch of the partition")
        }
        attention.notify()
    }

    /// Retries a partition's fetch after a back-off, at the broker that leads the partition then.
    func retryLater(_ key: TopicPartition, _ node: Int32, _ error: KafkaError) {
        buffer.leave(node, [key])
        setbacks += 1
        retries(.refusals(topic: key.topic), error, of: key)
        attention.notify()
    }
}
