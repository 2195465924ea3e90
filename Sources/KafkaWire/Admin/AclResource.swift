/// What an ACL (access control list entry, KIP-11) applies to: one resource, or all whose names begin alike.
public struct AclResource: Sendable, Hashable {
    /// What sort of resource ACLs apply to.
    ///
    /// Open: newer brokers may report other numbers.
    public struct Kind: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        /// The number in the protocol.
        public let rawValue: Int8

        /// Creates a kind from its number in the protocol.
        public init(rawValue: Int8) { self.rawValue = rawValue }

        /// A topic, by its name.
        public static let topic = Kind(rawValue: 2)
        /// A group, by `group.id`.
        public static let group = Kind(rawValue: 3)
        /// The cluster as a whole: see `AclResource.cluster`.
        public static let cluster = Kind(rawValue: 4)
        /// A transactional id (KIP-98).
        public static let transactionalID = Kind(rawValue: 5)
        /// A delegation token, by its id (KIP-48).
        public static let delegationToken = Kind(rawValue: 6)
        /// A principal such as `User:alice`, for tokens that others create for it (KIP-373).
        public static let user = Kind(rawValue: 7)

        static let names: KeyValuePairs<String, Kind> = [
            "TOPIC": .topic, "GROUP": .group, "CLUSTER": .cluster, "TRANSACTIONAL_ID": .transactionalID,
            "DELEGATION_TOKEN": .delegationToken, "USER": .user,
        ]

        /// Kafka's name, such as `GROUP`; the number of an unknown value.
        public var description: String { Self.names.key(of: self) ?? "\(rawValue)" }
    }

    /// How a name stands for resources (KIP-290).
    ///
    /// Open: newer brokers may report other numbers.
    public struct PatternType: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        /// The number in the protocol.
        public let rawValue: Int8

        /// Creates a pattern type from its number in the protocol.
        public init(rawValue: Int8) { self.rawValue = rawValue }

        /// In a filter: every ACL whose own name is the filter's, of whichever type.
        public static let any = PatternType(rawValue: 1)
        /// In a filter: every ACL that applies to a resource of this name, be it literal, prefixed or a wildcard.
        public static let match = PatternType(rawValue: 2)
        /// The name itself. `*` is a wildcard for all names.
        public static let literal = PatternType(rawValue: 3)
        /// All names that begin with this one.
        public static let prefixed = PatternType(rawValue: 4)

        static let names: KeyValuePairs<String, PatternType> = [
            "ANY": .any, "MATCH": .match, "LITERAL": .literal, "PREFIXED": .prefixed,
        ]

        /// Kafka's name, such as `MATCH`; the number of an unknown value.
        public var description: String { Self.names.key(of: self) ?? "\(rawValue)" }
    }

    /// What sort of resource it is.
    public var kind: Kind
    /// The resource's name; `kafka-cluster` for the cluster.
    public var name: String
    /// Whether `name` is a whole name or a prefix.
    public var patternType: PatternType

    /// Creates a resource.
    ///
    /// - Parameters:
    ///   - kind: What sort of resource it is.
    ///   - name: The resource's name; `*` with `.literal` for all resources of the kind.
    ///   - patternType: `.literal` or `.prefixed`.
    public init(_ kind: Kind, _ name: String, patternType: PatternType = .literal) {
        self.kind = kind
        self.name = name
        self.patternType = patternType
    }

    /// The cluster, by the only name that it has in ACLs.
    public static let cluster = AclResource(.cluster, "kafka-cluster")
}

/// An operation that an ACL allows or denies (KIP-11).
///
/// Open: newer brokers may report other numbers.
public struct AclOperation: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The number in the protocol.
    public let rawValue: Int8

    /// Creates an operation from its number in the protocol.
    public init(rawValue: Int8) { self.rawValue = rawValue }

    /// All operations of the resource.
    public static let all = AclOperation(rawValue: 2)
    /// Fetch records of a topic; join a group and commit its offsets.
    public static let read = AclOperation(rawValue: 3)
    /// Produce to a topic; use a transactional id.
    public static let write = AclOperation(rawValue: 4)
    /// Create this topic; for the cluster, any topic.
    public static let create = AclOperation(rawValue: 5)
    /// Delete a topic, its records, or a group.
    public static let delete = AclOperation(rawValue: 6)
    /// Add partitions to a topic; for the cluster, change ACLs and SCRAM users.
    public static let alter = AclOperation(rawValue: 7)
    /// See that the resource exists. Implied by `read`, `write`, `delete` and `alter`.
    public static let describe = AclOperation(rawValue: 8)
    /// Requests between brokers.
    public static let clusterAction = AclOperation(rawValue: 9)
    /// Read configs (KIP-133).
    public static let describeConfigs = AclOperation(rawValue: 10)
    /// Change configs (KIP-133). Implies `describeConfigs`.
    public static let alterConfigs = AclOperation(rawValue: 11)
    /// Produce with `enable.idempotence`, for the cluster. Since Kafka 2.8 `write` for any topic is enough (KIP-679).
    public static let idempotentWrite = AclOperation(rawValue: 12)
    /// Create delegation tokens for another user (KIP-373).
    public static let createTokens = AclOperation(rawValue: 13)
    /// See delegation tokens of another user (KIP-373).
    public static let describeTokens = AclOperation(rawValue: 14)
    /// Keep a transaction open for as long as an external coordinator needs (KIP-939).
    public static let twoPhaseCommit = AclOperation(rawValue: 15)

    static let names: KeyValuePairs<String, AclOperation> = [
        "ALL": .all, "READ": .read, "WRITE": .write, "CREATE": .create, "DELETE": .delete, "ALTER": .alter,
        "DESCRIBE": .describe, "CLUSTER_ACTION": .clusterAction, "DESCRIBE_CONFIGS": .describeConfigs,
        "ALTER_CONFIGS": .alterConfigs, "IDEMPOTENT_WRITE": .idempotentWrite, "CREATE_TOKENS": .createTokens,
        "DESCRIBE_TOKENS": .describeTokens, "TWO_PHASE_COMMIT": .twoPhaseCommit,
    ]

    /// Kafka's name, such as `READ`; the number of an unknown value.
    public var description: String { Self.names.key(of: self) ?? "\(rawValue)" }
}

/// Whether an ACL allows or denies.
///
/// Open: newer brokers may report other numbers.
public struct AclPermission: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The number in the protocol.
    public let rawValue: Int8

    /// Creates a permission from its number in the protocol.
    public init(rawValue: Int8) { self.rawValue = rawValue }

    /// Denies the operation. This overrides every ACL that allows it.
    public static let deny = AclPermission(rawValue: 2)
    /// Allows the operation. For a resource without ACLs, the brokers' `allow.everyone.if.no.acl.found` decides.
    public static let allow = AclPermission(rawValue: 3)

    static let names: KeyValuePairs<String, AclPermission> = [
        "DENY": .deny, "ALLOW": .allow,
    ]

    /// Kafka's name, such as `ALLOW`; the number of an unknown value.
    public var description: String { Self.names.key(of: self) ?? "\(rawValue)" }
}
