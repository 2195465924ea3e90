extension Fetcher {
    /// What became of an answer.
    struct Accepted {
        struct Failure {
            let partition: TopicPartition
            let slot: FetchSlot
            let error: KafkaError
        }

        /// Opens when the consumer begins to take the answer; nil where there was no record in it.
        var gate: Signal?
        /// What is wrong with the first partition that something is wrong with. The others' records are taken in all the
        /// same, since their positions are past them.
        var failure: Failure?
    }

    /// Takes in an answer.
    func accept(
        _ response: FetchResponse, from node: Int32, asked: [TopicPartition: Asked]
    ) -> Accepted {
        let gate = Signal()
        var parts: [FetchedPartition] = []
        var failure: Accepted.Failure?
        for topic in response.responses {
            guard let name = topic.topic.isEmpty ? topicNames[topic.topicId] : topic.topic else { continue }
            for answer in topic.partitions {
                let key = TopicPartition(topic: name, partition: answer.partitionIndex)
                // What was taken away, or sought elsewhere, since the request, or what another broker that leads it now
                // has told meanwhile: the answer isn't for it.
                guard let asked = asked[key], let partition = partitions[key], partition.slot == asked.slot,
                    partition.position == asked.fetch.position
                else { continue }
                do throws(KafkaError) {
                    if let part = try accept(answer, of: key, asked, from: node, gate) { parts.append(part) }
                } catch {
                    failure = failure ?? Accepted.Failure(partition: key, slot: asked.slot, error: error)
                }
            }
        }
        if !parts.isEmpty {
            setbacks = 0
            buffer.append(parts)
        }
        return Accepted(gate: parts.isEmpty ? nil : gate, failure: failure)
    }

    /// Takes in what an answer says of one partition.
    private func accept(
        _ answer: FetchResponse.PartitionData, of key: TopicPartition, _ asked: Asked, from node: Int32, _ gate: Signal
    ) throws(KafkaError) -> FetchedPartition? {
        let code = ErrorCode(rawValue: answer.errorCode)
        guard code == .none else {
            try refused(key, code, by: node)
            return nil
        }
        if answer.divergingEpoch.epoch >= 0 {
            try truncated(
                key,
                to: FetchPosition(
                    offset: answer.divergingEpoch.endOffset, lastFetchedEpoch: answer.divergingEpoch.epoch))
            return nil
        }
        if answer.preferredReadReplica >= 0, answer.preferredReadReplica != node {
            partitions[key]?.replica = (
                answer.preferredReadReplica,
                cluster.timing.now() + cluster.configuration.metadataMaximumAge
            )
            attention.notify()
        }
        let isCommittedOnly = configuration.isolationLevel == .readCommitted && answer.lastStableOffset >= 0
        let end = isCommittedOnly ? answer.lastStableOffset : answer.highWatermark
        buffer.saw(asked.slot, highWatermark: answer.highWatermark, end: end)
        return try take(answer, of: key, asked, end: end, gate)
    }

    /// Moves a partition's position past the batches that have arrived whole.
    ///
    /// - Parameter end: The offset up to which the partition may be read.
    private func take(
        _ answer: FetchResponse.PartitionData, of key: TopicPartition, _ asked: Asked, end: Int64, _ gate: Signal
    ) throws(KafkaError) -> FetchedPartition? {
        let fetch = asked.fetch
        guard let records = answer.records, !records.isEmpty else {
            observe(key, RecordBatchReader.Scan(nextOffset: fetch.position.offset), end: end)
            return nil
        }
        let scan = try RecordBatchReader.scan(
            records, from: fetch.position.offset, topic: key.topic, partition: key.partition)
        guard scan.batchCount > 0 else {
            // Not one batch fits the limit; a broker before KIP-74 would send its beginning for ever.
            partitions[key]?.maximumBytes = fetch.maximumBytes > .max / 2 ? .max : max(fetch.maximumBytes, 1) * 2
            return nil
        }
        let next = FetchPosition(
            offset: max(scan.nextOffset, fetch.position.offset), lastFetchedEpoch: scan.lastLeaderEpoch)
        partitions[key]?.position = next
        observe(key, scan, end: end)
        let reader = RecordBatchReader(
            topic: key.topic, partition: key.partition, records: records, from: fetch.position.offset,
            checksCRC: configuration.checksCRCs, maximumInflatedBytes: configuration.maximumInflatedBytes,
            pool: cluster.pool,
            leavingOut: configuration.isolationLevel == .readCommitted
                ? AbortedTransactions(answer.abortedTransactions ?? []) : nil)
        return FetchedPartition(slot: asked.slot, reader: reader, next: next, gate: gate)
    }

    private func observe(_ key: TopicPartition, _ scan: RecordBatchReader.Scan, end: Int64) {
        // A replica may be behind the leader that the position comes from.
        cluster.observer?.fetched(
            key, records: scan.recordCount, batches: scan.batchCount, bytes: scan.byteCount,
            lag: end < 0 ? nil : max(0, end - scan.nextOffset))
    }

    private func refused(_ key: TopicPartition, _ code: ErrorCode, by node: Int32) throws(KafkaError) {
        let position = partitions[key]?.position
        switch code {
        case .offsetOutOfRange where partitions[key]?.replica?.node == node:
            // The replica may be behind; only the leader's word counts.
            partitions[key]?.replica = nil
            setbacks += 1
        case .offsetOutOfRange:
            guard let place = offsetReset.place(now: cluster.timing.wallClock()) else {
                throw KafkaError(
                    code, "the log doesn't have this offset (any more, or yet)", isFromBroker: true, topic: key.topic,
                    partition: key.partition, offset: position?.offset)
            }
            partitions[key]?.start = place
            partitions[key]?.position = nil
        case .corruptMessage:
            throw KafkaError(
                code, "the broker's log is damaged", isFromBroker: true, isRetriable: false, topic: key.topic,
                partition: key.partition, offset: position?.offset)
        case _ where code.isRetriable:
            leave(node, key)
            setbacks += 1
        default:
            throw KafkaError(
                code, "the broker refused to have the partition fetched", isFromBroker: true, topic: key.topic,
                partition: key.partition, offset: position?.offset)
        }
        attention.notify()
    }
}
