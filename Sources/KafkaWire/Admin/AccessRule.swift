/// What an access rule (ACL, KIP-11) is about: a resource by its name, or all whose names begin alike.
public struct AclResource: Sendable, Hashable {
    /// What sort of thing has access rules.
    public enum Kind: Int8, Sendable, Hashable, CaseIterable {
        /// One that this client doesn't know.
        case unknown = 0
        /// By the topic's name.
        case topic = 2
        /// By `group.id`.
        case group = 3
        /// The cluster as a whole: see `AclResource.cluster`.
        case cluster = 4
        /// By `transactional.id` (KIP-98).
        case transactionalID = 5
        /// By the token's id (KIP-48).
        case delegationToken = 6
        /// By a principal such as `User:alice`, for tokens that others make for it (KIP-373).
        case user = 7
    }

    /// How `name` stands for resources (KIP-290).
    public enum PatternType: Int8, Sendable, Hashable, CaseIterable {
        /// One that this client doesn't know.
        case unknown = 0
        /// The name as it is; `*` stands for all.
        case literal = 3
        /// All names that begin so (KIP-290).
        case prefixed = 4
    }

    /// What sort of thing it is.
    public var kind: Kind
    /// `kafka-cluster` for the cluster.
    public var name: String
    /// Whether `name` is a whole name or the beginning of several.
    public var patternType: PatternType

    /// - Parameters:
    ///   - kind: What sort of thing it is.
    ///   - name: `*`, with `.literal`, for all of the kind.
    ///   - patternType: Whether `name` is a whole name or the beginning of several.
    public init(_ kind: Kind, _ name: String, patternType: PatternType = .literal) {
        self.kind = kind
        self.name = name
        self.patternType = patternType
    }

    /// The cluster itself, by the only name that it has in access rules.
    public static let cluster = AclResource(.cluster, "kafka-cluster")
}

/// What somebody does.
public enum AclOperation: Int8, Sendable, Hashable, CaseIterable {
    /// One that this client doesn't know.
    case unknown = 0
    /// Everything that the resource has.
    case all = 2
    /// To fetch a topic's records; to be a member of a group and commit its offsets.
    case read = 3
    /// To produce to a topic; to use a transactional id.
    case write = 4
    /// To make topics: this one, or with the cluster any.
    case create = 5
    /// To delete a topic or its records, or a group.
    case delete = 6
    /// To give a topic more partitions; with the cluster, to change access rules and SCRAM users.
    case alter = 7
    /// To see that it is there; `read`, `write`, `delete` and `alter` bring it along.
    case describe = 8
    /// What brokers do among themselves.
    case clusterAction = 9
    /// To see settings (KIP-133).
    case describeConfigs = 10
    /// To change settings (KIP-133); brings `describeConfigs` along.
    case alterConfigs = 11
    /// To produce with `enable.idempotence`; of the cluster. Since Kafka 2.8 `write` of any topic suffices (KIP-679).
    case idempotentWrite = 12
    /// To make delegation tokens for another user (KIP-373).
    case createTokens = 13
    /// To see another user's delegation tokens (KIP-373).
    case describeTokens = 14
    /// To keep a transaction open for as long as an outside coordinator wants (KIP-939).
    case twoPhaseCommit = 15
}

/// Whether a rule gives or takes.
public enum AclPermission: Int8, Sendable, Hashable, CaseIterable {
    /// One that this client doesn't know.
    case unknown = 0
    /// They mustn't: this beats every rule that allows it.
    case deny = 2
    /// They may. Where a resource has no rule at all, the brokers' `allow.everyone.if.no.acl.found` decides.
    case allow = 3
}

/// An access rule: who may, or mustn't, do what with which resource.
public struct AccessRule: Sendable, Hashable {
    /// What the rule is about.
    public var resource: AclResource
    /// Such as `User:alice`; `User:*` stands for all.
    public var principal: String
    /// An address; `*` for all.
    public var host: String
    /// What it is that may, or mustn't, be done.
    public var operation: AclOperation
    /// Whether they may or mustn't.
    public var permission: AclPermission

    /// Reads as a sentence: `AccessRule(.allow, "User:alice", .read, on: AclResource(.topic, "orders"))`.
    ///
    /// - Parameters:
    ///   - permission: Whether they may or mustn't.
    ///   - principal: With its type before it, as `User:` nearly always is.
    ///   - operation: What it is that may, or mustn't, be done.
    ///   - resource: What the rule is about.
    ///   - host: An IP address; names aren't looked up. `*` for all.
    public init(
        _ permission: AclPermission, _ principal: String, _ operation: AclOperation, on resource: AclResource,
        host: String = "*"
    ) {
        self.resource = resource
        self.principal = principal
        self.host = host
        self.operation = operation
        self.permission = permission
    }
}

/// Which access rules are meant: what is nil may be anything.
public struct AccessRuleFilter: Sendable, Hashable {
    /// How a rule's resource has to fit `resourceName`.
    public enum PatternType: Int8, Sendable, Hashable {
        /// Every rule that has `resourceName` as its own name, whichever type it is of.
        case any = 1
        /// Rules that apply to a resource of this name, be they literal, prefixed or for all.
        case match = 2
        /// Only rules for a whole name.
        case literal = 3
        /// Only rules for all names that begin so (KIP-290).
        case prefixed = 4
    }

    /// Nil for all kinds.
    public var resourceKind: AclResource.Kind?
    /// Nil for all names.
    public var resourceName: String?
    /// How `resourceName` is compared with a rule's.
    public var patternType: PatternType
    /// Such as `User:alice`; nil for all. `User:*` finds only the rules that say so themselves.
    public var principal: String?
    /// Nil for all. `*` finds only the rules that say so themselves.
    public var host: String?
    /// Nil for every one. `.all` finds only the rules that say so themselves.
    public var operation: AclOperation?
    /// Nil for both.
    public var permission: AclPermission?

    /// All rules, where nothing is given.
    public init(
        resourceKind: AclResource.Kind? = nil, resourceName: String? = nil, patternType: PatternType = .any,
        principal: String? = nil, host: String? = nil, operation: AclOperation? = nil,
        permission: AclPermission? = nil
    ) {
        self.resourceKind = resourceKind
        self.resourceName = resourceName
        self.patternType = patternType
        self.principal = principal
        self.host = host
        self.operation = operation
        self.permission = permission
    }
}

/// A rule that a filter found for deletion.
public struct DeletedAccessRule: Sendable, Hashable {
    /// As it was found.
    public let rule: AccessRule
    /// Why the rule is still there; nil where it is gone.
    public let error: KafkaError?
}
