/// Something that has a coordinator: a group, or a transactional id.
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
    /// A connection to the coordinator of a group or transactional id. Looks up the coordinator on each call.
    ///
    /// - Parameters:
    ///   - role: Requests that the coordinator delays for long, such as JoinGroup, have their own role.
    ///   - owner: The only user of the connection; nil for a shared connection.
    /// - Throws: COORDINATOR_NOT_AVAILABLE and other errors of the lookup, which `retrying` retries.
    package func connection(
        to coordinated: Coordinated, role: Role = .general, owner: ObjectIdentifier? = nil
    ) async throws -> NegotiatedConnection {
        let (response, broker) = try await askAnyBroker { connection in
            let takesSeveral = try connection.version(for: FindCoordinatorRequest.self) >= 4
            return takesSeveral
                ? FindCoordinatorRequest(keyType: coordinated.keyType, coordinatorKeys: [coordinated.key])
                : FindCoordinatorRequest(key: coordinated.key, keyType: coordinated.keyType)
        }
        // Since version 4 the response is a list with an entry for each requested key.
        let found = response.coordinators.first
        let code = ErrorCode(rawValue: found?.errorCode ?? response.errorCode)
        guard code == .none else {
            throw KafkaError(code, "\(coordinated) has no coordinator at the moment", isFromBroker: true)
        }
        let host = found?.host ?? response.host
        guard let port = UInt16(exactly: found?.port ?? response.port), port > 0, !host.isEmpty else {
            throw KafkaError(
                .coordinatorNotAvailable,
                "\(broker) returned a coordinator of \(coordinated) without a host or a valid port")
        }
        return try await self.connection(to: BrokerAddress(host: host, port: port), role: role, owner: owner)
    }
}
