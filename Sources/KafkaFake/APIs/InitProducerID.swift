import KafkaWire

extension APICall {
    func initProducerID(_ request: InitProducerIdRequest) -> Reply<InitProducerIdResponse> {
        func refused(_ code: ErrorCode) -> Reply<InitProducerIdResponse> {
            .response(InitProducerIdResponse(errorCode: code.rawValue))
        }
        if let refusal, !refusal.isAfterwards { return refused(refusal.code) }
        defer { state.notifyAll() }
        return state.withLock { state in
            let code: ErrorCode
            switch begin(request, &state) {
            case .ready(let identity):
                guard let refusal else {
                    return .response(
                        InitProducerIdResponse(producerId: identity.producerID, producerEpoch: identity.epoch))
                }
                code = refusal.code
            case .aborted(let decision):
                state.carryOut(decision)
                code = refusal?.code ?? .concurrentTransactions
            // Clients before version 4 do not know PRODUCER_FENCED (KIP-588).
            case .refused(.producerFenced) where version < 4: code = .invalidProducerEpoch
            case .refused(let error): code = error
            }
            return refused(code)
        }
    }

    private func begin(_ request: InitProducerIdRequest, _ state: inout ClusterState) -> TransactionalProducer.Beginning
    {
        guard (request.producerId < 0) == (request.producerEpoch < 0) else { return .refused(.invalidRequest) }
        guard let id = request.transactionalId else {
            // Without transactions there is no earlier producer to fence, and each producer gets its own id.
            return .ready(TransactionalProducer.Identity(producerID: state.nextProducerID(), epoch: 0))
        }
        guard !id.isEmpty else { return .refused(.invalidRequest) }
        if let error = coordinationError(.transaction(id), state) { return .refused(error) }
        let timeout = Duration.milliseconds(request.transactionTimeoutMs)
        guard timeout > .zero, timeout <= ClusterState.maximumTransactionTimeout else {
            return .refused(.invalidTransactionTimeout)
        }
        var expected: TransactionalProducer.Identity?
        if request.producerId >= 0 {
            expected = TransactionalProducer.Identity(producerID: request.producerId, epoch: request.producerEpoch)
        }
        var producer =
            state.transactionalProducers[id]
            ?? TransactionalProducer(producerID: state.nextProducerID(), timeout: timeout)
        let beginning = producer.begin(timeout: timeout, expected: expected) { state.nextProducerID() }
        state.transactionalProducers[id] = producer
        return beginning
    }
}
