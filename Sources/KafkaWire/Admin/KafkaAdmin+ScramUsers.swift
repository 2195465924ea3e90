/// How a user logs in by SCRAM (RFC 5802, RFC 7677).
public enum ScramMechanism: Int8, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    case sha256 = 1
    case sha512 = 2

    /// As in `sasl.mechanism`.
    public var description: String {
        switch self {
        case .sha256: "SCRAM-SHA-256"
        case .sha512: "SCRAM-SHA-512"
        }
    }
}

/// That a user has a password for a mechanism. The password itself no broker knows.
public struct ScramCredential: Sendable, Hashable {
    /// Nil for one that this client doesn't know.
    public let mechanism: ScramMechanism?
    /// How often the password is hashed.
    public let iterations: Int32
}

extension KafkaAdmin {
    /// Who can log in by SCRAM (KIP-554), from Kafka 2.7 on.
    ///
    /// - Parameter users: Nil for all.
    /// - Returns: For each user what there is, or RESOURCE_NOT_FOUND for one without SCRAM credentials.
    public func describeScramUsers(
        _ users: [String]? = nil
    ) async throws -> [String: Result<[ScramCredential], KafkaError>] {
        try await cluster.retrying {
            let response = try await cluster.controllerConnection().call(
                DescribeUserScramCredentialsRequest(
                    users: users?.map { DescribeUserScramCredentialsRequest.User(name: $0) }), timeout: requestTimeout)
            try Self.outcome(
                response.errorCode, response.errorMessage, else: "the SCRAM users can't be told", success: ()
            ).get()
            var outcomes: [String: Result<[ScramCredential], KafkaError>] = [:]
            for user in response.results {
                outcomes[user.user] = Self.outcome(
                    user.errorCode, user.errorMessage, else: "the user \(user.user) can't be described",
                    success: user.credentialInfos.map {
                        ScramCredential(mechanism: ScramMechanism(rawValue: $0.mechanism), iterations: $0.iterations)
                    })
            }
            return outcomes
        }
    }
}
