/// How a user logs in by SCRAM (RFC 5802, RFC 7677).
public enum ScramMechanism: Int8, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    /// `SCRAM-SHA-256`
    case sha256 = 1
    /// `SCRAM-SHA-512`
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

/// A password that a user gets for a SCRAM mechanism, instead of the one that they have.
public struct ScramUpsertion: Sendable {
    /// The name to log in by, without `User:`.
    public var user: String
    /// A password of another mechanism stays as it is.
    public var mechanism: ScramMechanism
    /// Stays in this process: only what is made of it is sent.
    public var password: Secret
    /// How often the password is hashed; Kafka takes 4096 to 16384.
    public var iterations: Int32
    /// What is mixed into the password, so that two users with the same one can't be told by it.
    public var salt: [UInt8]

    /// - Parameters:
    ///   - user: The name to log in by, without `User:`.
    ///   - mechanism: The one that the password is for; a password of another stays as it is.
    ///   - password: Stays in this process: only what is made of it is sent.
    ///   - iterations: How often the password is hashed; Kafka takes 4096 to 16384.
    ///   - salt: 24 bytes of the system's random generator where nil.
    public init(
        user: String, _ mechanism: ScramMechanism, password: Secret, iterations: Int32 = 4096, salt: [UInt8]? = nil
    ) {
        var system = SystemRandomNumberGenerator()
        self.init(user: user, mechanism, password: password, iterations: iterations, salt: salt, using: &system)
    }

    init(
        user: String, _ mechanism: ScramMechanism, password: Secret, iterations: Int32, salt: [UInt8]?,
        using generator: inout some RandomNumberGenerator
    ) {
        self.user = user
        self.mechanism = mechanism
        self.password = password
        self.iterations = iterations
        self.salt = salt ?? (0..<24).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }
}

/// A mechanism that a user is not to log in by any more.
public struct ScramDeletion: Sendable, Hashable {
    /// The name to log in by, without `User:`.
    public var user: String
    /// A password of another mechanism stays.
    public var mechanism: ScramMechanism

    /// For `KafkaAdmin.alterScramUsers`; it is RESOURCE_NOT_FOUND where the user has no such password.
    public init(user: String, _ mechanism: ScramMechanism) {
        self.user = user
        self.mechanism = mechanism
    }
}

extension KafkaAdmin {
    /// Who can log in by SCRAM (KIP-554), from Kafka 2.7 on.
    ///
    /// - Parameter users: Nil for all.
    /// - Returns: For each user what there is, or RESOURCE_NOT_FOUND for one without SCRAM credentials.
    public func describeScramUsers(
        _ users: [String]? = nil
    ) async throws -> [String: Result<[ScramCredential], KafkaError>] {
        try await cluster.retrying(operation: "describe the SCRAM users") {
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

    /// Gives users SCRAM passwords and takes them away (KIP-554), from Kafka 2.7 on.
    ///
    /// The passwords stay here: salted and hashed (RFC 5802), they go to the controller. Brokers hear of it a moment
    /// later; connections that are open stay so.
    ///
    /// - Returns: For each user success, or RESOURCE_NOT_FOUND for a mechanism to delete that they haven't,
    ///   UNACCEPTABLE_CREDENTIAL for an iteration count or a name that can't be, DUPLICATE_RESOURCE for a user who is
    ///   named twice, be it for two mechanisms: those take two calls. Of a user that has an error nothing is changed.
    /// - Throws: What fails for all, such as UNSUPPORTED_VERSION by an older broker.
    public func alterScramUsers(
        upserting upsertions: [ScramUpsertion] = [], deleting deletions: [ScramDeletion] = []
    ) async throws -> [String: Result<Void, KafkaError>] {
        var (salted, refused): ([AlterUserScramCredentialsRequest.Upsertion], [String: KafkaError]) = ([], [:])
        for upsertion in upsertions {
            // A count that no broker takes isn't worth the minutes.
            guard ScramExchange.iterations.contains(Int(upsertion.iterations)) else {
                refused[upsertion.user] = KafkaError(
                    .unacceptableCredential,
                    "SCRAM takes \(ScramExchange.iterations.lowerBound) iterations or more, and brokers 16384 at most, not \(upsertion.iterations)"
                )
                continue
            }
            salted.append(try await upsertion.salted())
        }
        let outcomes = try await outcomes(
            of: Set(upsertions.map(\.user)).union(deletions.map(\.user)).subtracting(refused.keys),
            operation: "change the SCRAM users"
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
                    result.errorCode, result.errorMessage, else: "the user \(result.user) can't be altered", success: ()
                )
            }
            return outcomes
        }
        return outcomes.merging(refused.mapValues { .failure($0) }) { $1 }
    }
}

extension ScramUpsertion {
    /// What is sent: the password salted and hashed, so that brokers never see it.
    func salted() async throws(KafkaError) -> AlterUserScramCredentialsRequest.Upsertion {
        let salted = try await mechanism.algorithm.saltedPassword(password, salt: salt, iterations: Int(iterations))
        return AlterUserScramCredentialsRequest.Upsertion(
            name: user, mechanism: mechanism.rawValue, iterations: iterations, salt: ByteSlice(salt),
            saltedPassword: ByteSlice(salted))
    }
}

extension ScramMechanism {
    fileprivate var algorithm: ScramAlgorithm {
        switch self {
        case .sha256: .sha256
        case .sha512: .sha512
        }
    }
}
