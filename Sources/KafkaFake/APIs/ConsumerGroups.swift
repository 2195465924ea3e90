import KafkaWire

// ConsumerGroupHeartbeat (KIP-848).
extension APICall {
    func consumerGroupHeartbeat(_ request: ConsumerGroupHeartbeatRequest) -> Reply<ConsumerGroupHeartbeatResponse> {
        func refused(_ code: ErrorCode, _ message: String? = nil) -> Reply<ConsumerGroupHeartbeatResponse> {
            .response(
                ConsumerGroupHeartbeatResponse(
                    errorCode: code.rawValue, errorMessage: message, memberId: nil))
        }
        if let refusal, !refusal.isAfterwards { return refused(refusal.code) }
        // By default brokers before Kafka 4 announce the API but refuse its requests.
        guard versions.hasGroupVersion else {
            return refused(.unsupportedVersion, "this cluster has no groups of this kind")
        }
        if let (code, message) = ConsumerGroup.problem(request, version: version) { return refused(code, message) }
        defer { state.notifyAll() }
        return state.withLock { state in
            if let error = coordinationError(.group(request.groupId), state) { return refused(error) }
            var request = request
            // In version 0 the broker assigns the member id.
            if request.memberId.isEmpty { request.memberId = KafkaUUID.random().description }
            let topics = state.topics.mapValues {
                ConsumerGroup.Topic(id: $0.id, partitionCount: $0.partitions.count)
            }
            let now = state.clock.now
            let settings = state.groups.settings
            let answer = state.groups.consumer(request.groupId, makes: request.memberEpoch == 0) {
                $0.heartbeat(request, clientID: clientID ?? "", topics: topics, settings: settings, at: now)
            }
            guard let answer else { return refused(.groupIdNotFound, "there is no such group of this kind") }
            if let refusal { return refused(refusal.code) }
            guard answer.error == .none else { return refused(answer.error, answer.message) }
            return .response(
                ConsumerGroupHeartbeatResponse(
                    errorMessage: nil, memberId: answer.memberID, memberEpoch: answer.epoch,
                    heartbeatIntervalMs: request.memberEpoch < 0
                        ? 0 : settings.consumerHeartbeatInterval.asMilliseconds,
                    assignment: answer.assignment.map { slots in
                        let topics = Dictionary(grouping: slots.sorted(), by: \.topicID)
                        return ConsumerGroupHeartbeatResponse.Assignment(
                            topicPartitions: topics.map {
                                ConsumerGroupHeartbeatTopicPartitions(
                                    topicId: $0.key, partitions: $0.value.map(\.partition))
                            })
                    }))
        }
    }
}
