extension KafkaAdmin {
    /// Returns the ACLs that a filter selects (KIP-140).
    ///
    /// - Throws: SECURITY_DISABLED if the brokers have no `authorizer.class.name`; CLUSTER_AUTHORIZATION_FAILED;
    ///   `CancellationError`.
    public nonisolated(nonsending) func describeAcls(matching filter: AclBindingFilter = AclBindingFilter())
        async throws -> [AclBinding]
    {
        try await cluster.retrying(operation: "describe the ACLs") {
            let response = try await cluster.controllerConnection().call(
                DescribeAclsRequest(
                    resourceTypeFilter: filter.resourceKind?.rawValue ?? anyNumber,
                    resourceNameFilter: filter.resourceName, patternTypeFilter: filter.patternType.rawValue,
                    principalFilter: filter.principal, hostFilter: filter.host,
                    operation: filter.operation?.rawValue ?? anyNumber,
                    permissionType: filter.permission?.rawValue ?? anyNumber), timeout: requestTimeout)
            return try Self.outcome(
                response.errorCode, response.errorMessage, else: "the ACLs cannot be described",
                success: [AclBinding](response)
            ).get()
        }
    }

    /// Creates ACLs (KIP-140). An ACL that exists already counts as created.
    ///
    /// - Returns: For each ACL success, or SECURITY_DISABLED, INVALID_REQUEST or another error of the controller.
    /// - Throws: An error that prevents all of them; `CancellationError`.
    public nonisolated(nonsending) func createAcls(_ bindings: [AclBinding]) async throws -> [AclBinding: Result<
        Void, KafkaError
    >] {
        try await outcomes(of: bindings, operation: "create the ACLs") { bindings in
            let response = try await cluster.controllerConnection().call(
                CreateAclsRequest(creations: bindings.map(\.creation)), timeout: requestTimeout)
            var outcomes: [AclBinding: Result<Void, KafkaError>] = [:]
            for (binding, result) in zip(bindings, response.results) {
                outcomes[binding] = Self.outcome(
                    result.errorCode, result.errorMessage, else: "the ACL cannot be created", success: ())
            }
            return outcomes
        }
    }

    /// Deletes the ACLs that filters select (KIP-140).
    ///
    /// - Returns: For each filter the ACLs that it selected, or SECURITY_DISABLED or another error of the controller.
    /// - Throws: An error that prevents all of it; `CancellationError`.
    public nonisolated(nonsending) func deleteAcls(
        matching filters: [AclBindingFilter]
    ) async throws -> [AclBindingFilter: Result<[DeletedAclBinding], KafkaError>] {
        try await outcomes(of: filters, operation: "delete the ACLs that match") { filters in
            let response = try await cluster.controllerConnection().call(
                DeleteAclsRequest(filters: filters.map(DeleteAclsRequest.Filter.init)), timeout: requestTimeout)
            var outcomes: [AclBindingFilter: Result<[DeletedAclBinding], KafkaError>] = [:]
            for (filter, result) in zip(filters, response.filterResults) {
                outcomes[filter] = Self.outcome(
                    result.errorCode, result.errorMessage, else: "the ACLs cannot be deleted",
                    success: result.matchingAcls.map(DeletedAclBinding.init))
            }
            return outcomes
        }
    }
}

/// The number in a filter that matches every kind, operation or permission.
private let anyNumber: Int8 = 1

extension AclBinding {
    fileprivate init(
        _ kind: Int8, _ name: String, _ patternType: Int8, _ principal: String, _ host: String, _ operation: Int8,
        _ permission: Int8
    ) {
        self.init(
            AclPermission(rawValue: permission), principal, AclOperation(rawValue: operation),
            on: AclResource(
                AclResource.Kind(rawValue: kind), name, patternType: AclResource.PatternType(rawValue: patternType)),
            host: host)
    }

    /// The ACL as a request to create it.
    var creation: CreateAclsRequest.Creation {
        CreateAclsRequest.Creation(
            resourceType: resource.kind.rawValue, resourceName: resource.name,
            resourcePatternType: resource.patternType.rawValue, principal: principal, host: host,
            operation: operation.rawValue, permissionType: permission.rawValue)
    }
}

extension [AclBinding] {
    init(_ response: DescribeAclsResponse) {
        self = response.resources.flatMap { resource in
            resource.acls.map { acl in
                AclBinding(
                    resource.resourceType, resource.resourceName, resource.patternType, acl.principal, acl.host,
                    acl.operation, acl.permissionType)
            }
        }
    }
}

extension DeletedAclBinding {
    fileprivate init(_ acl: DeleteAclsResponse.MatchingAcl) {
        binding = AclBinding(
            acl.resourceType, acl.resourceName, acl.patternType, acl.principal, acl.host, acl.operation,
            acl.permissionType)
        let outcome: Result<Void, KafkaError> = KafkaAdmin.outcome(
            acl.errorCode, acl.errorMessage, else: "the ACL cannot be deleted", success: ())
        if case .failure(let failure) = outcome { error = failure } else { error = nil }
    }
}

extension DeleteAclsRequest.Filter {
    fileprivate init(_ filter: AclBindingFilter) {
        self.init(
            resourceTypeFilter: filter.resourceKind?.rawValue ?? anyNumber, resourceNameFilter: filter.resourceName,
            patternTypeFilter: filter.patternType.rawValue, principalFilter: filter.principal, hostFilter: filter.host,
            operation: filter.operation?.rawValue ?? anyNumber,
            permissionType: filter.permission?.rawValue ?? anyNumber)
    }
}
