extension KafkaAdmin {
    /// Returns the SCRAM credentials of users (KIP-554), from Kafka 2.7 on.
    ///
    /// - Parameter users: The users; nil for all.
    /// - Returns: For each user the credentials, or RESOURCE_NOT_FOUND if there are none.
    /// - Throws: An error that prevents all of it; `CancellationError`.
    public nonisolated(nonsending) func describeScramUsers(
        _ users: [String]? = nil
    ) async throws -> [String: Result<[ScramCredential], KafkaError>] {
        try await cluster.retrying(operation: "describe the SCRAM users") {
            let response = try await cluster.controllerConnection().call(
                DescribeUserScramCredentialsRequest(
                    users: users?.map { DescribeUserScramCredentialsRequest.User(name: $0) }), timeout: requestTimeout)
            try Self.outcome(
                response.errorCode, response.errorMessage, else: "the SCRAM users cannot be described", success: ()
            ).get()
            var outcomes: [String: Result<[ScramCredential], KafkaError>] = [:]
            for user in response.results {
                outcomes[user.user] = Self.outcome(
                    user.errorCode, user.errorMessage, else: "the user \(user.user) cannot be described",
                    success: user.credentialInfos.map {
                        ScramCredential(mechanism: ScramMechanism(rawValue: $0.mechanism), iterations: $0.iterations)
                    })
            }
            return outcomes
        }
    }

    /// Sets and deletes SCRAM passwords of users (KIP-554), from Kafka 2.7 on.
    ///
    /// The passwords stay in this process, which sends salted hashes (RFC 5802) to the controller. Brokers learn of the
    /// change a moment later. Open connections are not affected.
    ///
    /// - Returns: For each user success, or RESOURCE_NOT_FOUND for a mechanism to delete that the user does not have,
    ///   UNACCEPTABLE_CREDENTIAL for an invalid iteration count or name, DUPLICATE_RESOURCE for a user that occurs twice;
    ///   two mechanisms of a user need two calls. Nothing is changed for a user with an error.
    /// - Throws: An error that prevents all of it, such as UNSUPPORTED_VERSION from an older broker;
    ///   `CancellationError`.
    public nonisolated(nonsending) func alterScramUsers(
        upserting upsertions: [ScramUpsertion] = [], deleting deletions: [ScramDeletion] = []
    ) async throws -> [String: Result<Void, KafkaError>] {
        var (salted, refused): ([AlterUserScramCredentialsRequest.Upsertion], [String: KafkaError]) = ([], [:])
        for upsertion in upsertions {
            // Hashing with a count that no broker accepts could take minutes.
            guard ScramExchange.iterations.contains(Int(upsertion.iterations)) else {
                refused[upsertion.user] = KafkaError(
                    .unacceptableCredential,
                    "the number of SCRAM iterations is \(upsertion.iterations); "
                        + "\(ScramExchange.iterations.lowerBound) to 16384 is expected"
                )
                continue
            }
            salted.append(try await upsertion.salted())
        }
        let outcomes = try await outcomes(
            of: Set(upsertions.map(\.user)).union(deletions.map(\.user)).subtracting(refused.keys),
            operation: "alter the SCRAM users"
        ) { [salted] users in
            let users = Set(users)
            let response = try await cluster.controllerConnection().call(
                AlterUserScramCredentialsRequest(
                    deletions: deletions.filter { users.contains($0.user) }.map {
                        AlterUserScramCredentialsRequest.Deletion(name: $0.user, mechanism: $0.mechanism.rawValue)
                    }, upsertions: salted.filter { users.contains($0.name) }), timeout: requestTimeout)
            var outcomes: [String: Result<Void, KafkaError>] = [:]
            for result in response.results {
                outcomes[result.user] = Self.outcome(
                    result.errorCode, result.errorMessage, else: "the user \(result.user) cannot be altered",
                    success: ()
                )
            }
            return outcomes
        }
        return outcomes.merging(refused.mapValues { .failure($0) }) { $1 }
    }
}

extension ScramUpsertion {
    /// The salted and hashed password, which is sent instead of the password.
    func salted() async throws(KafkaError) -> AlterUserScramCredentialsRequest.Upsertion {
        guard let algorithm = mechanism.algorithm else {
            throw KafkaError(
                .unsupportedSaslMechanism,
                "the client has no SCRAM mechanism \(mechanism); use one of "
                    + ScramMechanism.allKnown.map(\.description).joined(separator: ", "))
        }
        let salted = try await algorithm.saltedPassword(password, salt: salt, iterations: Int(iterations))
        return AlterUserScramCredentialsRequest.Upsertion(
            name: user, mechanism: mechanism.rawValue, iterations: iterations, salt: ByteSlice(salt),
            saltedPassword: ByteSlice(salted))
    }
}

extension ScramMechanism {
    /// nil for a mechanism that this client does not have.
    fileprivate var algorithm: ScramAlgorithm? {
        switch self {
        case .sha256: .sha256
        case .sha512: .sha512
        default: nil
        }
    }
}
