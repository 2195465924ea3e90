extension KafkaAdmin {
    /// The access rules that a filter finds (KIP-140).
    ///
    /// - Throws: SECURITY_DISABLED where the brokers have no `authorizer.class.name`, CLUSTER_AUTHORIZATION_FAILED.
    public func accessRules(matching filter: AccessRuleFilter = AccessRuleFilter()) async throws -> [AccessRule] {
        try await cluster.retrying(operation: "list the access rules") {
            let response = try await cluster.controllerConnection().call(
                DescribeAclsRequest(
                    resourceTypeFilter: filter.resourceKind?.rawValue ?? 1, resourceNameFilter: filter.resourceName,
                    patternTypeFilter: filter.patternType.rawValue, principalFilter: filter.principal,
                    hostFilter: filter.host, operation: filter.operation?.rawValue ?? 1,
                    permissionType: filter.permission?.rawValue ?? 1), timeout: requestTimeout)
            return try Self.outcome(
                response.errorCode, response.errorMessage, else: "the access rules can't be told",
                success: response.resources.flatMap { resource in
                    resource.acls.map { acl in
                        AccessRule(
                            resource.resourceType, resource.resourceName, resource.patternType, acl.principal, acl.host,
                            acl.operation, acl.permissionType)
                    }
                }
            ).get()
        }
    }

    /// Makes access rules (KIP-140). One that is there already stays.
    ///
    /// - Returns: For each rule success, or SECURITY_DISABLED, INVALID_REQUEST and what else the controller finds.
    public func createAccessRules(_ rules: [AccessRule]) async throws -> [AccessRule: Result<Void, KafkaError>] {
        try await outcomes(of: rules, operation: "create the access rules") { rules in
            let response = try await cluster.controllerConnection().call(
                CreateAclsRequest(creations: rules.map(CreateAclsRequest.Creation.init)), timeout: requestTimeout)
            var outcomes: [AccessRule: Result<Void, KafkaError>] = [:]
            for (rule, result) in zip(rules, response.results) {
                outcomes[rule] = Self.outcome(
                    result.errorCode, result.errorMessage, else: "the access rule can't be made", success: ())
            }
            return outcomes
        }
    }

    /// Deletes the access rules that filters find (KIP-140).
    ///
    /// - Returns: For each filter the rules that it found, or SECURITY_DISABLED and what else the controller finds.
    public func deleteAccessRules(
        matching filters: [AccessRuleFilter]
    ) async throws -> [AccessRuleFilter: Result<[DeletedAccessRule], KafkaError>] {
        try await outcomes(of: filters, operation: "delete the access rules that match") { filters in
            let response = try await cluster.controllerConnection().call(
                DeleteAclsRequest(filters: filters.map(DeleteAclsRequest.Filter.init)), timeout: requestTimeout)
            var outcomes: [AccessRuleFilter: Result<[DeletedAccessRule], KafkaError>] = [:]
            for (filter, result) in zip(filters, response.filterResults) {
                outcomes[filter] = Self.outcome(
                    result.errorCode, result.errorMessage, else: "the access rules can't be deleted",
                    success: result.matchingAcls.map(DeletedAccessRule.init))
            }
            return outcomes
        }
    }
}

extension AccessRule {
    fileprivate init(
        _ kind: Int8, _ name: String, _ patternType: Int8, _ principal: String, _ host: String, _ operation: Int8,
        _ permission: Int8
    ) {
        self.init(
            AclPermission(rawValue: permission) ?? .unknown, principal, AclOperation(rawValue: operation) ?? .unknown,
            on: AclResource(
                AclResource.Kind(rawValue: kind) ?? .unknown, name,
                patternType: AclResource.PatternType(rawValue: patternType) ?? .unknown), host: host)
    }
}

extension DeletedAccessRule {
    fileprivate init(_ acl: DeleteAclsResponse.MatchingAcl) {
        rule = AccessRule(
            acl.resourceType, acl.resourceName, acl.patternType, acl.principal, acl.host, acl.operation,
            acl.permissionType)
        let outcome: Result<Void, KafkaError> = KafkaAdmin.outcome(
            acl.errorCode, acl.errorMessage, else: "the access rule can't be deleted", success: ())
        if case .failure(let failure) = outcome { error = failure } else { error = nil }
    }
}

extension CreateAclsRequest.Creation {
    fileprivate init(_ rule: AccessRule) {
        self.init(
            resourceType: rule.resource.kind.rawValue, resourceName: rule.resource.name,
            resourcePatternType: rule.resource.patternType.rawValue, principal: rule.principal, host: rule.host,
            operation: rule.operation.rawValue, permissionType: rule.permission.rawValue)
    }
}

extension DeleteAclsRequest.Filter {
    fileprivate init(_ filter: AccessRuleFilter) {
        self.init(
            resourceTypeFilter: filter.resourceKind?.rawValue ?? 1, resourceNameFilter: filter.resourceName,
            patternTypeFilter: filter.patternType.rawValue, principalFilter: filter.principal, hostFilter: filter.host,
            operation: filter.operation?.rawValue ?? 1, permissionType: filter.permission?.rawValue ?? 1)
    }
}
