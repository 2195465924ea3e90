import KafkaWire

extension APICall {
    func produce(_ request: ProduceRequest) -> Reply<ProduceResponse> {
        var response = ProduceResponse()
        var hasError = false
        state.withLock { state in
            for topic in request.topicData {
                let known = state.topic(name: topic.name, id: topic.topicId)
                let partitions = topic.partitionData.map { data in
                    let answer = self.write(data, to: known, request, &state)
                    if answer.errorCode != ErrorCode.none.rawValue { hasError = true }
                    if answer.currentLeader.leaderId >= 0, version >= 10 {
                        response.nodeEndpoints += endpoint(answer.currentLeader.leaderId, state)
                    }
                    return answer
                }
                response.responses.append(
                    ProduceResponse.TopicResponse(
                        name: topic.name, topicId: topic.topicId, partitionResponses: partitions))
            }
        }
        state.notifyAll()
        // Without acknowledgements, closing the connection is the only way to report an error.
        guard request.acks != 0 else { return hasError ? .hangUp : .none }
        return .response(response)
    }

    private func write(
        _ data: ProduceRequest.PartitionData, to topic: ClusterState.Topic?, _ request: ProduceRequest,
        _ state: inout ClusterState
    ) -> ProduceResponse.PartitionResponse {
        func refused(_ code: ErrorCode, _ message: String? = nil) -> ProduceResponse.PartitionResponse {
            ProduceResponse.PartitionResponse(
                index: data.index, errorCode: code.rawValue, baseOffset: -1, errorMessage: message)
        }
        guard let topic else { return refused(version >= 13 ? .unknownTopicId : .unknownTopicOrPartition) }
        guard let log = topic.partition(data.index) else { return refused(.unknownTopicOrPartition) }
        guard (-1...1).contains(request.acks) else { return refused(.invalidRequiredAcks) }
        let partition = TopicPartition(topic: topic.name, partition: data.index)
        let refusal = refusal(.produce, partition, &state)
        if let refusal, !refusal.isAfterwards { return refused(refusal.code) }
        if let error = state.leadershipError(log, node: node, epoch: -1) {
            var answer = refused(error)
            if version >= 10, let leader = log.leader {
                answer.currentLeader = LeaderIdAndEpoch(leaderId: leader, leaderEpoch: log.leaderEpoch)
            }
            return answer
        }
        switch BatchCheck.header(of: data.records, maximum: topic.configs.maximumMessageBytes) {
        case .failure(let problem):
            return refused(problem.code, problem.message)
        case .success(let header):
            let keyless = topic.configs.isCompacted ? Self.keyless(data.records, partition) : []
            guard keyless.isEmpty else {
                var answer = refused(.invalidRecord, "\(keyless.count) records of a compacted topic have no key")
                answer.recordErrors = keyless
                return answer
            }
            if header.attributes.contains(.transactional),
                let error = join(request.transactionalId, header, partition, log, &state)
            {
                return refused(error)
            }
            let appendTime = topic.configs.usesAppendTime ? state.clock.milliseconds : nil
            let baseOffset: Int64
            switch log.producers.check(header) {
            case .refused(let code): return refused(code)
            case .duplicate(let offset): baseOffset = offset
            case .next:
                guard let records = data.records else { return refused(.invalidRecord) }
                baseOffset = log.append(records, header, appendTime: appendTime)
            }
            if let refusal { return refused(refusal.code) }
            return ProduceResponse.PartitionResponse(
                index: data.index, baseOffset: baseOffset, logAppendTimeMs: appendTime ?? -1,
                logStartOffset: log.startOffset)
        }
    }

    /// The records without a key, in the form of a broker's answer (KIP-467).
    private static func keyless(
        _ bytes: ByteSlice?, _ partition: TopicPartition
    ) -> [ProduceResponse.BatchIndexAndErrorMessage] {
        guard let bytes else { return [] }
        var reader = RecordBatchReader(
            topic: partition.topic, partition: partition.partition, records: bytes, from: 0,
            maximumInflatedBytes: 1 << 30, pool: BufferPool(limit: 0))
        guard let batch = try? reader.next() else { return [] }
        var (records, index) = (batch.makeIterator(), Int32(0))
        var found: [ProduceResponse.BatchIndexAndErrorMessage] = []
        while let record = try? records.next() {
            if record.key == nil {
                found.append(.init(batchIndex: index, batchIndexErrorMessage: "the record has no key"))
            }
            index += 1
        }
        return found
    }

    /// Checks that the partition is part of the producer's transaction. From version 12 on, producing adds it
    /// (KIP-890).
    private func join(
        _ transactionalID: String?, _ header: RecordBatchHeader, _ partition: TopicPartition, _ log: PartitionLog,
        _ state: inout ClusterState
    ) -> ErrorCode? {
        let identity = TransactionalProducer.Identity(producerID: header.producerID, epoch: header.producerEpoch)
        if log.producers.isInTransaction(identity.producerID, epoch: identity.epoch) { return nil }
        guard versions.verifiesTransactions else { return nil }
        guard let transactionalID else { return .invalidTxnState }
        switch state.check(transactionalID: transactionalID, identity) {
        case .none: break
        case .producerFenced: return .invalidProducerEpoch
        case let error: return error
        }
        if version >= 12 {
            state.transactionalProducers[transactionalID]?.add(partitions: [partition], at: state.clock.now)
            return nil
        }
        if state.transactionalProducers[transactionalID]?.has(partition) == true { return nil }
        return version >= 11 ? .transactionAbortable : .invalidTxnState
    }

    /// The address of the leader that an answer names (KIP-951).
    func endpoint(_ leader: Int32, _ state: ClusterState) -> [NodeEndpoint] {
        guard let node = state.nodes[leader] else { return [] }
        return [NodeEndpoint(nodeId: leader, host: "127.0.0.1", port: Int32(node.port), rack: node.rack)]
    }
}
