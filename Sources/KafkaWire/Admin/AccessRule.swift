/// What an access rule (ACL, KIP-11) is about: a resource by its name, or all whose names begin alike.
public struct AclResource: Sendable, Hashable {
    public enum Kind: Int8, Sendable, Hashable, CaseIterable {
        /// One that this client doesn't know.
        case unknown = 0
        case topic = 2
        case group = 3
        case cluster = 4
        case transactionalID = 5
        case delegationToken = 6
        case user = 7
    }

    public enum PatternType: Int8, Sendable, Hashable, CaseIterable {
        /// One that this client doesn't know.
        case unknown = 0
        /// The name as it is; `*` stands for all.
        case literal = 3
        /// All names that begin so (KIP-290).
        case prefixed = 4
    }

    public var kind: Kind
    /// `kafka-cluster` for the cluster.
    public var name: String
    public var patternType: PatternType

    public init(_ kind: Kind, _ name: String, patternType: PatternType = .literal) {
        self.kind = kind
        self.name = name
        self.patternType = patternType
    }

    public static let cluster = AclResource(.cluster, "kafka-cluster")
}

/// What somebody does.
public enum AclOperation: Int8, Sendable, Hashable, CaseIterable {
    /// One that this client doesn't know.
    case unknown = 0
    case all = 2
    case read = 3
    case write = 4
    case create = 5
    case delete = 6
    case alter = 7
    case describe = 8
    case clusterAction = 9
    case describeConfigs = 10
    case alterConfigs = 11
    case idempotentWrite = 12
    case createTokens = 13
    case describeTokens = 14
    case twoPhaseCommit = 15
}

public enum AclPermission: Int8, Sendable, Hashable, CaseIterable {
    /// One that this client doesn't know.
    case unknown = 0
    case deny = 2
    case allow = 3
}

/// An access rule: who may, or mustn't, do what with which resource.
public struct AccessRule: Sendable, Hashable {
    public var resource: AclResource
    /// Such as `User:alice`; `User:*` stands for all.
    public var principal: String
    /// An address; `*` for all.
    public var host: String
    public var operation: AclOperation
    public var permission: AclPermission

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
        case any = 1
        /// Rules that apply to a resource of this name, be they literal, prefixed or for all.
        case match = 2
        case literal = 3
        case prefixed = 4
    }

    public var resourceKind: AclResource.Kind?
    public var resourceName: String?
    public var patternType: PatternType
    public var principal: String?
    public var host: String?
    public var operation: AclOperation?
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
    public let rule: AccessRule
    /// Why the rule is still there; nil where it is gone.
    public let error: KafkaError?
}
