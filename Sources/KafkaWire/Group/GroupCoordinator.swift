/// The broker that coordinates a group, looked up when it is needed and kept until it is one no more.
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
        // An answer that waits for the other members mustn't stand before what one of them asks.
        let owner = role == .group ? ObjectIdentifier(self) : nil
        let connection = try await cluster.connection(to: .group(groupID), role: role, owner: owner)
        connections[role] = connection
        return connection
    }

    /// Sends a request.
    ///
    /// - Parameters:
    ///   - role: `.group` for requests that the coordinator holds back.
    ///   - wait: How long the request itself asks the coordinator to wait.
    ///   - limit: How long an answer is waited for at most; `request.timeout.ms` and `wait` where nil.
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

    /// Looks the coordinator up anew at the next call where the error says that it isn't this broker, or where the
    /// broker doesn't answer.
    func forget(after code: ErrorCode) {
        switch code {
        case .notCoordinator, .coordinatorNotAvailable, .networkException, .requestTimedOut: connections = [:]
        default: break
        }
    }

    /// Ends the connection that is this member's alone: there is nothing more to wait for.
    func close() async {
        connections[.group] = nil
        await cluster.closeConnections(ownedBy: ObjectIdentifier(self))
    }

    /// Throws what a coordinator's answer has as its error.
    nonisolated func check(_ code: Int16, _ message: String) async throws {
        let code = ErrorCode(rawValue: code)
        guard code != .none else { return }
        await forget(after: code)
        throw KafkaError(code, message, isFromBroker: true)
    }
}
