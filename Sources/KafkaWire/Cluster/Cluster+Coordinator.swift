/// What a broker coordinates: a group, or the transactions of one transactional id.
package enum Coordinated: Hashable, Sendable, CustomStringConvertible {
    case group(String)
    case transaction(String)

    var key: String {
        switch self {
        case .group(let name), .transaction(let name): name
        }
    }

    var keyType: Int8 {
        switch self {
        case .group: 0
        case .transaction: 1
        }
    }

    package var description: String {
        switch self {
        case .group(let name): "the group \(name)"
        case .transaction(let name): "the transactional id \(name)"
        }
    }
}

extension Cluster {
    /// A connection to the broker that coordinates a group or a transactional id, asked for anew at each call.
    ///
    /// - Parameters:
    ///   - role: Requests that the coordinator holds back for long, such as JoinGroup, have one of their own.
    ///   - owner: Whose connection it is alone; nil for one that is shared.
    /// - Throws: COORDINATOR_NOT_AVAILABLE and other errors of the search, which `retrying` tries again.
    package func connection(
        to coordinated: Coordinated, role: Role = .general, owner: ObjectIdentifier? = nil
    ) async throws -> NegotiatedConnection {
        let (response, broker) = try await askAnyBroker { connection in
            let takesSeveral = try connection.version(for: FindCoordinatorRequest.self) >= 4
            return takesSeveral
                ? FindCoordinatorRequest(keyType: coordinated.keyType, coordinatorKeys: [coordinated.key])
                : FindCoordinatorRequest(key: coordinated.key, keyType: coordinated.keyType)
        }
        // From version 4 on the answer is a list, with an entry for each key that was asked for.
        let found = response.coordinators.first
        let code = ErrorCode(rawValue: found?.errorCode ?? response.errorCode)
        guard code == .none else {
            throw KafkaError(code, "\(coordinated) has no coordinator at the moment", isFromBroker: true)
        }
        let host = found?.host ?? response.host
        guard let port = UInt16(exactly: found?.port ?? response.port), port > 0, !host.isEmpty else {
            throw KafkaError(
                .coordinatorNotAvailable,
                "\(broker) names a coordinator of \(coordinated) without a host or a valid port")
        }
        return try await self.connection(to: BrokerAddress(host: host, port: port), role: role, owner: owner)
    }
}
