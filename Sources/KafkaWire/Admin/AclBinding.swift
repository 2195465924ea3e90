/// An ACL: a permission for a principal to perform an operation on a resource (KIP-11).
public struct AclBinding: Sendable, Hashable {
    /// What the ACL applies to.
    public var resource: AclResource
    /// The principal, such as `User:alice`; `User:*` for all users.
    public var principal: String
    /// The IP address that requests come from; `*` for all.
    public var host: String
    /// The operation that is allowed or denied.
    public var operation: AclOperation
    /// Whether the operation is allowed or denied.
    public var permission: AclPermission

    /// Creates an ACL: `AclBinding(.allow, "User:alice", .read, on: AclResource(.topic, "orders"))`.
    ///
    /// - Parameters:
    ///   - permission: Whether the operation is allowed or denied.
    ///   - principal: The principal with its type, which is nearly always `User:`.
    ///   - operation: The operation.
    ///   - resource: What the ACL applies to.
    ///   - host: An IP address, since brokers do not resolve names; `*` for all.
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

/// Selects ACLs. A property that is nil matches everything.
public struct AclBindingFilter: Sendable, Hashable {
    /// The kind of resource; nil for all kinds.
    public var resourceKind: AclResource.Kind?
    /// The resource's name; nil for all names.
    public var resourceName: String?
    /// How `resourceName` is compared with the name in an ACL.
    public var patternType: AclResource.PatternType
    /// The principal, such as `User:alice`; nil for all. `User:*` matches only ACLs for `User:*` itself.
    public var principal: String?
    /// The host; nil for all. `*` matches only ACLs for `*` itself.
    public var host: String?
    /// The operation; nil for all. `.all` matches only ACLs for `.all` itself.
    public var operation: AclOperation?
    /// The permission; nil for both.
    public var permission: AclPermission?

    /// Creates a filter. Without arguments it matches all ACLs.
    public init(
        resourceKind: AclResource.Kind? = nil, resourceName: String? = nil,
        patternType: AclResource.PatternType = .any, principal: String? = nil, host: String? = nil,
        operation: AclOperation? = nil, permission: AclPermission? = nil
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

/// An ACL that a filter selected for deletion.
public struct DeletedAclBinding: Sendable, Hashable {
    /// The ACL.
    public let binding: AclBinding
    /// Why the ACL still exists; nil if it was deleted.
    public let error: KafkaError?

    /// Creates a value, for example in a test.
    public init(binding: AclBinding, error: KafkaError? = nil) {
        self.binding = binding
        self.error = error
    }
}
