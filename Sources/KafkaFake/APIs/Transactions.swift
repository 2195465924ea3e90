import KafkaWire

// AddPartitionsToTxn, AddOffsetsToTxn, EndTxn and TxnOffsetCommit.
extension APICall {
    // MARK: Participants

    func addPartitionsToTxn(_ request: AddPartitionsToTxnRequest) -> Reply<AddPartitionsToTxnResponse> {
        defer { state.notifyAll() }
        return state.withLock { state in
            guard version >= 4 else {
                let transaction = AddPartitionsToTxnRequest.Transaction(
                    transactionalId: request.v3AndBelowTransactionalId, producerId: request.v3AndBelowProducerId,
                    producerEpoch: request.v3AndBelowProducerEpoch, topics: request.v3AndBelowTopics)
                return .response(AddPartitionsToTxnResponse(resultsByTopicV3AndBelow: add(transaction, &state)))
            }
            let results = request.transactions.map {
                AddPartitionsToTxnResponse.TransactionResult(
                    transactionalId: $0.transactionalId, topicResults: add($0, &state))
            }
            return .response(AddPartitionsToTxnResponse(resultsByTransaction: results))
        }
    }

    private func add(
        _ transaction: AddPartitionsToTxnRequest.Transaction, _ state: inout ClusterState
    ) -> [AddPartitionsToTxnResponse.TopicResult] {
        let asked = transaction.topics.flatMap { topic in
            topic.partitions.map { TopicPartition(topic: topic.name, partition: $0) }
        }
        var codes: [TopicPartition: ErrorCode] = [:]
        if let refusal, !refusal.isAfterwards {
            for partition in asked { codes[partition] = refusal.code }
        } else if asked.contains(where: { state.partition($0) == nil }) {
            for partition in asked {
                let isKnown = state.partition(partition) != nil
                codes[partition] = isKnown ? .operationNotAttempted : .unknownTopicOrPartition
            }
        } else {
            let id = transaction.transactionalId
            let error = transactionError(id, transaction.producerId, transaction.producerEpoch, state)
            for partition in asked {
                codes[partition] = refusal?.code ?? error
                if error == .none, transaction.verifyOnly,
                    state.transactionalProducers[id]?.has(partition) != true
                {
                    codes[partition] = .transactionAbortable
                }
            }
            if error == .none, !transaction.verifyOnly {
                state.transactionalProducers[id]?.add(partitions: asked, at: state.clock.now)
            }
        }
        return transaction.topics.map { topic in
            AddPartitionsToTxnResponse.TopicResult(
                name: topic.name,
                resultsByPartition: topic.partitions.map { index in
                    let code = codes[TopicPartition(topic: topic.name, partition: index)] ?? .none
                    return AddPartitionsToTxnResponse.PartitionResult(
                        partitionIndex: index, partitionErrorCode: supportedError(code).rawValue)
                })
        }
    }

    func addOffsetsToTxn(_ request: AddOffsetsToTxnRequest) -> Reply<AddOffsetsToTxnResponse> {
        if let refusal, !refusal.isAfterwards {
            return .response(AddOffsetsToTxnResponse(errorCode: refusal.code.rawValue))
        }
        return state.withLock { state in
            let id = request.transactionalId
            let error = transactionError(id, request.producerId, request.producerEpoch, state)
            if error == .none {
                state.transactionalProducers[id]?.add(group: request.groupId, at: state.clock.now)
            }
            return .response(AddOffsetsToTxnResponse(errorCode: (refusal?.code ?? supportedError(error)).rawValue))
        }
    }

    // MARK: EndTxn

    func endTxn(_ request: EndTxnRequest) -> Reply<EndTxnResponse> {
        if let refusal, !refusal.isAfterwards { return .response(EndTxnResponse(errorCode: refusal.code.rawValue)) }
        defer { state.notifyAll() }
        return state.withLock { state in
            let id = request.transactionalId
            func refused(_ code: ErrorCode) -> Reply<EndTxnResponse> {
                .response(EndTxnResponse(errorCode: supportedError(code).rawValue))
            }
            if id.isEmpty { return refused(.invalidRequest) }
            if let error = coordinationError(.transaction(id), state) { return refused(error) }
            guard var producer = state.transactionalProducers[id] else { return refused(.invalidProducerIdMapping) }
            let asked = TransactionalProducer.Identity(producerID: request.producerId, epoch: request.producerEpoch)
            let ending = producer.end(asked, isCommit: request.committed, isVersion2: version >= 5) {
                state.nextProducerID()
            }
            switch ending {
            case .refused(let error): return refused(error)
            case .done(let identity, let decision):
                state.transactionalProducers[id] = producer
                if let decision { state.carryOut(decision) }
                if let refusal { return refused(refusal.code) }
                guard version >= 5 else { return .response(EndTxnResponse()) }
                return .response(EndTxnResponse(producerId: identity.producerID, producerEpoch: identity.epoch))
            }
        }
    }

    // MARK: TxnOffsetCommit

    func txnOffsetCommit(_ request: TxnOffsetCommitRequest) -> Reply<TxnOffsetCommitResponse> {
        state.withLock { state in
            let error = groupError(request, &state)
            let topics = request.topics.map { topic in
                TxnOffsetCommitResponse.Topic(
                    name: topic.name,
                    partitions: topic.partitions.map { partition in
                        TxnOffsetCommitResponse.Partition(
                            partitionIndex: partition.partitionIndex,
                            errorCode: commit(partition, of: topic.name, request, error, &state).rawValue)
                    })
            }
            return .response(TxnOffsetCommitResponse(topics: topics))
        }
    }

    /// The error with which the group refuses a transaction's offsets. From version 5 on, the commit adds the group to
    /// the transaction (KIP-890).
    private func groupError(_ request: TxnOffsetCommitRequest, _ state: inout ClusterState) -> ErrorCode {
        if let error = coordinationError(.group(request.groupId), state) { return error }
        let identity = TransactionalProducer.Identity(producerID: request.producerId, epoch: request.producerEpoch)
        let id = request.transactionalId
        // This check is between brokers, so it does not matter which broker coordinates the transactions.
        if versions.verifiesTransactions {
            switch state.check(transactionalID: id, identity) {
            case .none: break
            case .producerFenced: return .invalidProducerEpoch
            case let error: return error
            }
            if version < 5, state.transactionalProducers[id]?.groups.contains(request.groupId) != true {
                return version >= 4 ? .transactionAbortable : .invalidTxnState
            }
        }
        let committer = GroupCoordinator.Committer(
            memberID: request.memberId, instanceID: request.groupInstanceId, generation: request.generationId,
            isTransactional: true)
        let error = state.groups.checkCommit(request.groupId, committer, version: nil, at: state.clock.now)
        if error == .none, version >= 5 {
            state.transactionalProducers[id]?.add(group: request.groupId, at: state.clock.now)
        }
        return error
    }

    private func commit(
        _ partition: TxnOffsetCommitRequest.Partition, of topic: String, _ request: TxnOffsetCommitRequest,
        _ groupError: ErrorCode, _ state: inout ClusterState
    ) -> ErrorCode {
        let key = TopicPartition(topic: topic, partition: partition.partitionIndex)
        guard state.partition(key) != nil else { return .unknownTopicOrPartition }
        let refusal = refusal(.txnOffsetCommit, key, &state)
        if let refusal, !refusal.isAfterwards { return refusal.code }
        guard groupError == .none else { return groupError }
        state.offsets.commit(
            group: request.groupId, key,
            GroupOffsets.Committed(
                offset: partition.committedOffset, leaderEpoch: partition.committedLeaderEpoch,
                metadata: partition.committedMetadata), producerID: request.producerId)
        return refusal?.code ?? .none
    }

    // MARK: Errors

    private func transactionError(_ id: String, _ producerID: Int64, _ epoch: Int16, _ state: ClusterState) -> ErrorCode
    {
        if id.isEmpty { return .invalidRequest }
        return coordinationError(.transaction(id), state)
            ?? state.check(
                transactionalID: id, TransactionalProducer.Identity(producerID: producerID, epoch: epoch))
    }

    /// Replaces PRODUCER_FENCED, which clients before version 2 do not know (KIP-588).
    private func supportedError(_ error: ErrorCode) -> ErrorCode {
        error == .producerFenced && version < 2 ? .invalidProducerEpoch : error
    }
}
