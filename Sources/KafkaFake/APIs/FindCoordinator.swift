import KafkaWire

extension APICall {
    func findCoordinator(_ request: FindCoordinatorRequest) -> Reply<FindCoordinatorResponse> {
        state.withLock { state in
            let keys = version >= 4 ? request.coordinatorKeys : [request.key]
            let found = keys.map { find($0, type: request.keyType, state) }
            guard version < 4 else { return .response(FindCoordinatorResponse(errorMessage: nil, coordinators: found)) }
            let first = found[0]
            return .response(
                FindCoordinatorResponse(
                    errorCode: first.errorCode, errorMessage: nil, nodeId: first.nodeId, host: first.host,
                    port: first.port))
        }
    }

    private func find(_ key: String, type: Int8, _ state: ClusterState) -> FindCoordinatorResponse.Coordinator {
        func refused(_ code: ErrorCode) -> FindCoordinatorResponse.Coordinator {
            FindCoordinatorResponse.Coordinator(
                key: key, nodeId: -1, port: -1, errorCode: code.rawValue, errorMessage: nil)
        }
        if let refusal { return refused(refusal.code) }
        let coordinated: FakeCoordinated
        switch type {
        case 0: coordinated = .group(key)
        case 1: coordinated = .transaction(key)
        default: return refused(.invalidRequest)
        }
        guard let node = state.coordinator(of: coordinated) else { return refused(.coordinatorNotAvailable) }
        return FindCoordinatorResponse.Coordinator(
            key: key, nodeId: node.id, host: "127.0.0.1", port: Int32(node.port), errorMessage: nil)
    }

    /// NOT_COORDINATOR if another broker coordinates this; COORDINATOR_NOT_AVAILABLE if no broker does; otherwise nil.
    func coordinationError(_ coordinated: FakeCoordinated, _ state: ClusterState) -> ErrorCode? {
        guard let coordinator = state.coordinator(of: coordinated) else { return .coordinatorNotAvailable }
        return coordinator.id == node ? nil : .notCoordinator
    }
}

extension ClusterState {
    /// The coordinator of a key: the broker that its hash selects, or the next running one if that broker is stopped.
    func coordinator(of coordinated: FakeCoordinated) -> Node? {
        if let chosen = coordinators[coordinated], let node = nodes[chosen], node.isRunning { return node }
        let ids = nodes.keys.sorted()
        guard !ids.isEmpty else { return nil }
        let hash = coordinated.key.utf8.reduce(UInt32(0)) { $0 &* 31 &+ UInt32($1) }
        let first = Int(hash % UInt32(ids.count))
        return (ids[first...] + ids[..<first]).lazy.compactMap { nodes[$0] }.first(where: \.isRunning)
    }
}
