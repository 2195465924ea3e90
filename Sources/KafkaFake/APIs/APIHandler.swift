import KafkaWire

/// How the requests of one API are read, carried out and answered.
struct APIHandler: Sendable {
    let api: APIKey
    let versions: ClosedRange<Int16>
    /// Throws where the request can't be read.
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

    /// Every API that the fake carries out, beside ApiVersions.
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
        ]
        return Dictionary(uniqueKeysWithValues: handlers.map { ($0.api, $0) })
    }()
}
