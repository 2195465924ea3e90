import KafkaWire

extension APICall {
    func listOffsets(_ request: ListOffsetsRequest) -> Reply<ListOffsetsResponse> {
        state.withLock { state in
            let topics = request.topics.map { topic in
                ListOffsetsResponse.TopicResponse(
                    name: topic.name,
                    partitions: topic.partitions.map {
                        find($0, in: topic.name, isCommittedOnly: request.isolationLevel == 1, &state)
                    })
            }
            return .response(ListOffsetsResponse(topics: topics))
        }
    }

    private func find(
        _ asked: ListOffsetsRequest.Partition, in topic: String, isCommittedOnly: Bool, _ state: inout ClusterState
    ) -> ListOffsetsResponse.PartitionResponse {
        func refused(_ code: ErrorCode) -> ListOffsetsResponse.PartitionResponse {
            ListOffsetsResponse.PartitionResponse(partitionIndex: asked.partitionIndex, errorCode: code.rawValue)
        }
        let key = TopicPartition(topic: topic, partition: asked.partitionIndex)
        if let refusal = refusal(.listOffsets, key, &state) { return refused(refusal.code) }
        guard let log = state.partition(key) else { return refused(.unknownTopicOrPartition) }
        if let error = state.leadershipError(log, node: node, epoch: asked.currentLeaderEpoch) {
            return refused(error)
        }
        var answer = ListOffsetsResponse.PartitionResponse(partitionIndex: asked.partitionIndex)
        // A `read_committed` client sees nothing beyond the last stable offset.
        let end = isCommittedOnly ? log.lastStableOffset : log.endOffset
        switch asked.timestamp {
        case -1: answer.offset = end
        case -2, -4: answer.offset = log.startOffset
        case -5, -6: break  // nothing is tiered
        case -3:
            if let youngest = log.batches.max(by: { $0.maxTimestamp < $1.maxTimestamp }) {
                (answer.offset, answer.timestamp) = log.first(from: youngest.maxTimestamp, below: end) ?? (-1, -1)
            }
        case 0...: (answer.offset, answer.timestamp) = log.first(from: asked.timestamp, below: end) ?? (-1, -1)
        default: return refused(.invalidRequest)
        }
        if version >= 4, answer.offset >= 0 { answer.leaderEpoch = log.epoch(at: answer.offset) }
        return answer
    }
}

extension PartitionLog {
    /// The first record, before `end`, whose timestamp is at least `timestamp` (in milliseconds since 1970).
    fileprivate func first(from timestamp: Int64, below end: Int64) -> (offset: Int64, timestamp: Int64)? {
        for batch in batches where batch.maxTimestamp >= timestamp {
            var reader = RecordBatchReader(
                topic: "", partition: 0, records: batch.bytes, from: max(batch.baseOffset, startOffset),
                maximumInflatedBytes: 256 << 20, pool: BufferPool(limit: 0))
            guard let decoded = try? reader.next() else { continue }
            var records = decoded.makeIterator()
            while let record = try? records.next() {
                guard record.timestamp.millisecondsSince1970 >= timestamp else { continue }
                return record.offset < end ? (record.offset, record.timestamp.millisecondsSince1970) : nil
            }
        }
        return nil
    }
}
