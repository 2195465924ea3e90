/// The broker that coordinates a group. Looked up on demand, and again after an error that says it has moved.
actor GroupCoordinator {
    private let cluster: Cluster
    private let groupID: String
    private var connections: [Cluster.Role: NegotiatedConnection] = [:]

    init(cluster: Cluster, groupID: String) {
        self.cluster = cluster
        self.groupID = groupID
    }

    func connection(role: Cluster.Role) async throws -> NegotiatedConnection {
        if let known = connections[role], known.isUsable { return known }
        // Broker answers on a connection come in order. A JoinGroup that the coordinator holds back must not block the
        // requests of another member, so each member has its own connection for these.
        let owner = role == .group ? ObjectIdentifier(self) : nil
        let connection = try await cluster.connection(to: .group(groupID), role: role, owner: owner)
        connections[role] = connection
        return connection
    }

    /// Sends a request.
    ///
    /// - Parameters:
    ///   - role: `.group` for requests that the coordinator holds back.
    ///   - wait: How long the coordinator may hold the request back.
    ///   - limit: The time limit for the answer; `request.timeout.ms` plus `wait` if nil.
    nonisolated func call<R: KafkaRequest>(
        _ request: R, role: Cluster.Role = .general, wait: Duration = .zero, within limit: Duration? = nil
    ) async throws -> R.Response {
        do {
            let connection = try await connection(role: role)
            return try await connection.call(request, timeout: limit ?? cluster.configuration.requestTimeout + wait)
        } catch let error as KafkaError {
            await forget(after: error.code)
            throw error
        }
    }

    /// Makes the next call look the coordinator up again if the error says that it has moved or does not answer.
    func forget(after code: ErrorCode) {
        switch code {
        case .notCoordinator, .coordinatorNotAvailable, .networkException, .requestTimedOut: connections = [:]
        default: break
        }
    }

    /// Closes the connection that only this member uses.
    func close() async {
        connections[.group] = nil
        await cluster.closeConnections(ownedBy: ObjectIdentifier(self))
    }

    /// Throws if a response's error code is not zero.
    nonisolated func check(_ code: Int16, _ message: String) async throws {
        let code = ErrorCode(rawValue: code)
        guard code != .none else { return }
        await forget(after: code)
        throw KafkaError(code, message, isFromBroker: true)
    }
}
