import KafkaWire

/// Decodes, carries out and answers the requests of one API.
struct APIHandler: Sendable {
    let api: APIKey
    let versions: ClosedRange<Int16>
    /// Throws if the request cannot be decoded.
    let answer: @Sendable (RequestHeader, APICall) throws -> Outcome

    init<R: KafkaRequest>(_: R.Type, _ carryOut: @escaping @Sendable (APICall, R) -> Reply<R.Response>) {
        api = R.apiKey
        versions = R.versions
        answer = { header, call in
            switch carryOut(call, try header.body(as: R.self)) {
            case .response(let response):
                return .answer(
                    try R.responseFrame(response, version: header.version, correlationID: header.correlationID))
            case .none: return .noAnswer
            case .hangUp: return .hangUp
            }
        }
    }

    /// All APIs that the fake carries out, except ApiVersions.
    static let all: [APIKey: APIHandler] = {
        let handlers = [
            APIHandler(ProduceRequest.self) { $0.produce($1) },
            APIHandler(FetchRequest.self) { $0.fetch($1) },
            APIHandler(ListOffsetsRequest.self) { $0.listOffsets($1) },
            APIHandler(MetadataRequest.self) { $0.metadata($1) },
            APIHandler(OffsetCommitRequest.self) { $0.offsetCommit($1) },
            APIHandler(OffsetFetchRequest.self) { $0.offsetFetch($1) },
            APIHandler(FindCoordinatorRequest.self) { $0.findCoordinator($1) },
            APIHandler(CreateTopicsRequest.self) { $0.createTopics($1) },
            APIHandler(DeleteTopicsRequest.self) { $0.deleteTopics($1) },
            APIHandler(InitProducerIdRequest.self) { $0.initProducerID($1) },
            APIHandler(AddPartitionsToTxnRequest.self) { $0.addPartitionsToTxn($1) },
            APIHandler(AddOffsetsToTxnRequest.self) { $0.addOffsetsToTxn($1) },
            APIHandler(EndTxnRequest.self) { $0.endTxn($1) },
            APIHandler(TxnOffsetCommitRequest.self) { $0.txnOffsetCommit($1) },
            APIHandler(JoinGroupRequest.self) { $0.joinGroup($1) },
            APIHandler(SyncGroupRequest.self) { $0.syncGroup($1) },
            APIHandler(HeartbeatRequest.self) { $0.heartbeat($1) },
            APIHandler(LeaveGroupRequest.self) { $0.leaveGroup($1) },
            APIHandler(ConsumerGroupHeartbeatRequest.self) { $0.consumerGroupHeartbeat($1) },
            APIHandler(ListGroupsRequest.self) { $0.listGroups($1) },
            APIHandler(DescribeGroupsRequest.self) { $0.describeGroups($1) },
            APIHandler(ConsumerGroupDescribeRequest.self) { $0.consumerGroupDescribe($1) },
            APIHandler(DeleteGroupsRequest.self) { $0.deleteGroups($1) },
            APIHandler(OffsetDeleteRequest.self) { $0.offsetDelete($1) },
            APIHandler(OffsetForLeaderEpochRequest.self) { $0.offsetForLeaderEpoch($1) },
            APIHandler(DescribeConfigsRequest.self) { $0.describeConfigs($1) },
            APIHandler(IncrementalAlterConfigsRequest.self) { $0.incrementalAlterConfigs($1) },
            APIHandler(CreatePartitionsRequest.self) { $0.createPartitions($1) },
            APIHandler(DeleteRecordsRequest.self) { $0.deleteRecords($1) },
            APIHandler(DescribeClusterRequest.self) { $0.describeCluster($1) },
        ]
        return Dictionary(uniqueKeysWithValues: handlers.map { ($0.api, $0) })
    }()
}
