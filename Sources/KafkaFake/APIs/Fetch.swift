import KafkaWire

extension APICall {
    /// One partition's part of an answer, with its key in the fetch session.
    private struct Part {
        let key: FetchSessions.Key
        let data: FetchResponse.PartitionData
        /// Whether the part differs from what the session's client was sent last.
        let isNews: Bool
    }

    private struct Parts {
        var list: [Part] = []
        var byteCount = 0
        /// Whether to answer at once, however few bytes the answer has.
        var isUrgent = false
    }

    func fetch(_ request: FetchRequest) -> Reply<FetchResponse> {
        if let refusal, version >= 7, refusal.code.isOfFetchSession {
            return .response(FetchResponse(errorCode: refusal.code.rawValue))
        }
        let begun = state.withLock { $0.sessions.begin(request, node: node, usesIDs: version >= 13) }
        let asked: FetchSessions.Asked
        switch begun {
        case .success(let new): asked = new
        case .failure(let refusal): return .response(FetchResponse(errorCode: refusal.code.rawValue))
        }
        let deadline = ContinuousClock.now + .milliseconds(max(request.maxWaitMs, 0))
        let isDue: (Parts) -> Bool = { parts in
            parts.isUrgent || parts.byteCount >= max(request.minBytes, 0) || asked.entries.isEmpty || .now >= deadline
        }
        // At the deadline the answer holds whatever the log has, possibly nothing.
        let parts: Parts = state.wait { state in
            if isStopping() { return .result(Parts()) }
            state.expire()
            let parts = read(asked, request, &state)
            if isDue(parts) { return .result(parts) }
            return .again(min(deadline, state.clock.wakeUp(for: state.transactionDeadline)))
        }
        return .response(finish(asked, parts))
    }

    private func read(_ asked: FetchSessions.Asked, _ request: FetchRequest, _ state: inout ClusterState) -> Parts {
        var parts = Parts()
        for entry in asked.entries {
            var left = Int(request.maxBytes) - parts.byteCount
            left = max(left, 0)
            let data = read(entry, request, limit: left, atLeastOne: parts.byteCount == 0, &state)
            let count = data.records?.count ?? 0
            parts.byteCount += count
            let isUrgent =
                data.errorCode != ErrorCode.none.rawValue || data.divergingEpoch.epoch >= 0
                || data.preferredReadReplica >= 0
            if isUrgent { parts.isUrgent = true }
            let isNews =
                count > 0 || isUrgent || data.highWatermark != entry.highWatermark
                || data.logStartOffset != entry.logStartOffset
            parts.list.append(Part(key: entry.key, data: data, isNews: isNews))
        }
        return parts
    }

    private func read(
        _ entry: FetchSessions.Entry, _ request: FetchRequest, limit: Int, atLeastOne: Bool,
        _ state: inout ClusterState
    ) -> FetchResponse.PartitionData {
        let fetch = entry.fetch
        func refused(_ code: ErrorCode) -> FetchResponse.PartitionData {
            FetchResponse.PartitionData(
                partitionIndex: fetch.partition, errorCode: code.rawValue, highWatermark: -1, abortedTransactions: nil,
                records: ByteSlice([]))
        }
        guard let topic = state.topic(name: entry.key.name, id: entry.key.id) else {
            return refused(version >= 13 ? .unknownTopicId : .unknownTopicOrPartition)
        }
        guard let log = topic.partition(fetch.partition) else { return refused(.unknownTopicOrPartition) }
        let partition = TopicPartition(topic: topic.name, partition: fetch.partition)
        if let refusal = refusal(.fetch, partition, &state) { return refused(refusal.code) }
        if let error = state.readError(log, node: node, epoch: fetch.currentLeaderEpoch, isFromFollower: version >= 11)
        {
            var answer = refused(error)
            if version >= 12, let leader = log.leader {
                answer.currentLeader = LeaderIdAndEpoch(leaderId: leader, leaderEpoch: log.leaderEpoch)
            }
            return answer
        }
        let isCommittedOnly = request.isolationLevel == 1
        var answer = FetchResponse.PartitionData(
            partitionIndex: fetch.partition, highWatermark: log.endOffset, lastStableOffset: log.lastStableOffset,
            logStartOffset: log.startOffset, abortedTransactions: isCommittedOnly ? [] : nil, records: ByteSlice([]))
        if version >= 12, fetch.lastFetchedEpoch >= 0 {
            let known = log.end(ofEpoch: fetch.lastFetchedEpoch)
            guard known.epoch >= 0, fetch.fetchOffset >= log.startOffset else { return refused(.offsetOutOfRange) }
            if known.epoch < fetch.lastFetchedEpoch || known.endOffset < fetch.fetchOffset {
                answer.divergingEpoch = FetchResponse.EpochEndOffset(epoch: known.epoch, endOffset: known.endOffset)
                return answer
            }
        }
        guard (log.startOffset...log.endOffset).contains(fetch.fetchOffset) else { return refused(.offsetOutOfRange) }
        if version >= 11, let replica = state.nearerReplica(of: log, than: node, to: request.rackId) {
            answer.preferredReadReplica = replica
            return answer
        }
        let records = log.read(
            from: fetch.fetchOffset, below: isCommittedOnly ? log.lastStableOffset : .max,
            limit: min(limit, Int(max(fetch.partitionMaxBytes, 0))), atLeastOne: atLeastOne)
        if let records { answer.records = records }
        if isCommittedOnly, let end = log.end(of: records), end > fetch.fetchOffset {
            answer.abortedTransactions = log.transactions.aborted(in: fetch.fetchOffset..<end).map {
                FetchResponse.AbortedTransaction(producerId: $0.producerID, firstOffset: $0.firstOffset)
            }
        }
        return answer
    }

    private func finish(_ asked: FetchSessions.Asked, _ parts: Parts) -> FetchResponse {
        let answered = asked.isIncremental ? parts.list.filter(\.isNews) : parts.list
        var response = FetchResponse(sessionId: version >= 7 ? asked.sessionID : 0)
        for part in answered {
            let isSameTopic =
                response.responses.last.map { $0.topic == part.key.name && $0.topicId == part.key.id } ?? false
            if !isSameTopic {
                response.responses.append(
                    FetchResponse.FetchableTopicResponse(topic: part.key.name, topicId: part.key.id))
            }
            response.responses[response.responses.count - 1].partitions.append(part.data)
        }
        state.withLock { state in
            if asked.sessionID != 0 {
                var news: [FetchSessions.Key: (Int64, Int64, Bool)] = [:]
                for part in answered {
                    let hasRecords = part.data.records.map { !$0.isEmpty } ?? false
                    news[part.key] = (part.data.highWatermark, part.data.logStartOffset, hasRecords)
                }
                state.sessions.end(asked.sessionID, answered: news)
            }
            guard version >= 16 else { return }
            for leader in Set(answered.map(\.data.currentLeader.leaderId)).sorted() where leader >= 0 {
                response.nodeEndpoints += endpoint(leader, state)
            }
        }
        return response
    }
}

extension ErrorCode {
    /// Whether the error applies to a whole fetch request.
    fileprivate var isOfFetchSession: Bool {
        [.fetchSessionIdNotFound, .invalidFetchSessionEpoch, .fetchSessionTopicIdError].contains(self)
    }
}
