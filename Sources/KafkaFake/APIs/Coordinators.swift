import KafkaWire

// FindCoordinator and InitProducerId.
extension APICall {
    /// The running broker with the smallest node id coordinates every group; transactions have no coordinator.
    func findCoordinator(_ request: FindCoordinatorRequest) -> Reply<FindCoordinatorResponse> {
        let running = state.withLock { $0.runningNodes }
        let node = request.keyType == 0 && refusal == nil ? running.first : nil
        let code = refusal?.code ?? (node == nil ? .coordinatorNotAvailable : .none)
        let port = node.map { Int32($0.port) } ?? -1
        let host = node == nil ? "" : "127.0.0.1"
        guard version >= 4 else {
            return .response(
                FindCoordinatorResponse(
                    errorCode: code.rawValue, errorMessage: nil, nodeId: node?.id ?? -1, host: host, port: port))
        }
        return .response(
            FindCoordinatorResponse(
                errorMessage: nil,
                coordinators: request.coordinatorKeys.map { key in
                    FindCoordinatorResponse.Coordinator(
                        key: key, nodeId: node?.id ?? -1, host: host, port: port, errorCode: code.rawValue,
                        errorMessage: nil)
                }))
    }

    func initProducerID(_ request: InitProducerIdRequest) -> Reply<InitProducerIdResponse> {
        if let refusal { return .response(InitProducerIdResponse(errorCode: refusal.code.rawValue)) }
        guard request.transactionalId == nil else {
            return .response(InitProducerIdResponse(errorCode: ErrorCode.invalidRequest.rawValue))
        }
        if request.producerId >= 0, request.producerEpoch >= 0, request.producerEpoch < .max - 1 {
            return .response(
                InitProducerIdResponse(producerId: request.producerId, producerEpoch: request.producerEpoch + 1))
        }
        return .response(InitProducerIdResponse(producerId: state.withLock { $0.nextProducerID() }))
    }
}
