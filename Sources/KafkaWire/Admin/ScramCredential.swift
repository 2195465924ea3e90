/// A mechanism of SCRAM logins (RFC 5802, RFC 7677).
///
/// Open: newer brokers may report other numbers.
public struct ScramMechanism: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The number in the protocol.
    public let rawValue: Int8

    /// Creates a mechanism from its number in the protocol.
    public init(rawValue: Int8) { self.rawValue = rawValue }

    /// `SCRAM-SHA-256`
    public static let sha256 = ScramMechanism(rawValue: 1)
    /// `SCRAM-SHA-512`
    public static let sha512 = ScramMechanism(rawValue: 2)

    /// The mechanisms that a client can create passwords for.
    public static let allKnown: [ScramMechanism] = [.sha256, .sha512]

    static let names: KeyValuePairs<String, ScramMechanism> = ["SCRAM-SHA-256": .sha256, "SCRAM-SHA-512": .sha512]

    /// The value of `sasl.mechanism`, such as `SCRAM-SHA-512`; the number of an unknown mechanism.
    public var description: String { Self.names.key(of: self) ?? "\(rawValue)" }
}

/// Reports that a user has a password for a mechanism. No broker knows the password itself.
public struct ScramCredential: Sendable, Hashable {
    /// The mechanism.
    public let mechanism: ScramMechanism
    /// The number of hash iterations.
    public let iterations: Int32

    /// Creates a value, for example in a test.
    public init(mechanism: ScramMechanism, iterations: Int32) {
        self.mechanism = mechanism
        self.iterations = iterations
    }
}

/// A new password of a user for a SCRAM mechanism.
public struct ScramUpsertion: Sendable {
    /// The user's name, without `User:`.
    public var user: String
    /// The mechanism. Passwords for other mechanisms are not changed.
    public var mechanism: ScramMechanism
    /// The password. It stays in this process, which sends the salted hash.
    public var password: Secret
    /// The number of hash iterations; Kafka accepts 4096 to 16384.
    public var iterations: Int32
    /// The salt of the hash.
    public var salt: [UInt8]

    /// Creates a password.
    ///
    /// - Parameters:
    ///   - user: The user's name, without `User:`.
    ///   - mechanism: The mechanism. Passwords for other mechanisms are not changed.
    ///   - password: The password. It stays in this process, which sends the salted hash.
    ///   - iterations: The number of hash iterations; Kafka accepts 4096 to 16384.
    ///   - salt: The salt; nil for 24 random bytes.
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

/// A deletion of a user's password for a SCRAM mechanism.
public struct ScramDeletion: Sendable, Hashable {
    /// The user's name, without `User:`.
    public var user: String
    /// The mechanism. Passwords for other mechanisms are not changed.
    public var mechanism: ScramMechanism

    /// Creates a deletion for `KafkaAdmin.alterScramUsers`. It fails with RESOURCE_NOT_FOUND if there is no such password.
    public init(user: String, _ mechanism: ScramMechanism) {
        self.user = user
        self.mechanism = mechanism
    }
}
