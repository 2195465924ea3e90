import KafkaWire
import TestSupport
import Testing

extension RealKafka {
    /// Administration of users and access rules.
    @Suite(needsKafka, .timeLimit(.minutes(3))) struct AdminSecurity {
        // MARK: Users

        @Test(
            "a user is made, logs in, gets another password, and is deleted", arguments: KafkaHome.all,
            ScramMechanism.allKnown)
        func scramUser(_ home: KafkaHome, _ mechanism: ScramMechanism) async throws {
            let secure = try await SecureKafkaCluster.shared(home)
            let client = try KafkaClient(bootstrapServers: secure.cluster.bootstrap)
            let user = uniqueName()
            var properties = secure.access(.scramSHA256).properties
            properties["sasl.mechanism"] = mechanism.description
            properties["sasl.username"] = user

            func logIn(_ password: String) async throws {
                properties["sasl.password"] = password
                let client = try KafkaClient(bootstrapServers: secure.bootstrap(.saslSSL), properties: properties)
                let result = await Task { try await client.admin.listTopics() }.result
                await client.close()
                _ = try result.get()
            }
            func isRefused(_ password: String) async throws -> KafkaError? {
                do {
                    try await logIn(password)
                    return nil
                } catch let error as KafkaError { return error }
            }
            func give(_ password: Secret, iterations: Int32) async throws {
                let outcome = try await client.admin.alterScramUsers(
                    upserting: [ScramUpsertion(user: user, mechanism, password: password, iterations: iterations)])
                #expect(outcome.count == 1)
                try outcome[user]?.get()
            }

            #expect(try await isRefused("open sesame")?.code == .saslAuthenticationFailed)
            try await give("open sesame", iterations: 4096)
            // Brokers apply the change a moment later.
            try await eventually("the user can log in") { try await isRefused("open sesame") == nil }
            #expect(try await isRefused("close sesame")?.code == .saslAuthenticationFailed)
            try await give("öffne dich", iterations: 8192)
            try await eventually("the new password works") { try await isRefused("öffne dich") == nil }
            #expect(try await isRefused("open sesame")?.code == .saslAuthenticationFailed)
            let described = try await client.admin.describeScramUsers([user])[user]?.get()
            #expect(described?.map(\.mechanism) == [mechanism])
            #expect(described?.map(\.iterations) == [8192])

            let deleted = try await client.admin.alterScramUsers(deleting: [ScramDeletion(user: user, mechanism)])
            try deleted[user]?.get()
            var refusal: KafkaError?
            try await eventually("the user can't log in any more") {
                refusal = try await isRefused("öffne dich")
                return refusal != nil
            }
            #expect(refusal?.code == .saslAuthenticationFailed)
            #expect(refusal?.isRetriable == false)
            #expect(
                refusal?.message.contains("refused the login as \(user) by \(mechanism): Authentication failed")
                    == true,
                "\(String(describing: refusal))")
            let gone = try await client.admin.describeScramUsers([user])[user]
            #expect(throws: KafkaError.self) { try gone?.get() }
            await client.close()
        }

        @Test("an error of one user does not affect the others", arguments: KafkaHome.all)
        func userByUser(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, partitions: 0)
            let admin = fixture.client.admin
            let (good, nobody, hasty, slow) = (uniqueName(), uniqueName(), uniqueName(), uniqueName())
            let twice = uniqueName()
            func upsertion(_ user: String, iterations: Int32 = 4096) -> ScramUpsertion {
                ScramUpsertion(user: user, .sha256, password: "secret", iterations: iterations)
            }
            let outcomes = try await admin.alterScramUsers(
                upserting: [
                    upsertion(good), upsertion(hasty, iterations: 1), upsertion(slow, iterations: 20_000),
                    upsertion(twice), ScramUpsertion(user: twice, .sha512, password: "secret"),
                ], deleting: [ScramDeletion(user: nobody, .sha256)])
            #expect(outcomes.count == 5)
            #expect(throws: Never.self) { try outcomes[good]?.get() }
            func error(_ user: String) -> KafkaError? {
                if case .failure(let error) = outcomes[user] { error } else { nil }
            }
            #expect(error(nobody)?.code == .resourceNotFound)
            #expect(error(hasty)?.code == .unacceptableCredential)
            #expect(error(hasty)?.isFromBroker == false)
            #expect(error(slow)?.code == .unacceptableCredential)
            #expect(error(slow)?.isFromBroker == true)
            #expect(error(twice)?.code == .duplicateResource)
            let second = try await admin.alterScramUsers(
                upserting: [ScramUpsertion(user: good, .sha512, password: "secret", iterations: 5000)])
            try second[good]?.get()
            try await eventually("the user is described") {
                let found = try? await admin.describeScramUsers([good])[good]?.get()
                return found?.map(\.iterations).sorted() == [4096, 5000]
            }
            for mechanism in ScramMechanism.allKnown {
                let deleted = try await admin.alterScramUsers(deleting: [ScramDeletion(user: good, mechanism)])
                try deleted[good]?.get()
            }
        }

        // MARK: Access rules

        @Test("access rules are created, listed, enforced and deleted", arguments: KafkaHome.all)
        func accessRules(_ home: KafkaHome) async throws {
            let secure = try await SecureKafkaCluster.start(
                home,
                settings: [
                    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                    "super.users": "User:ANONYMOUS",
                ])
            let client = try KafkaClient(bootstrapServers: secure.cluster.bootstrap)
            let access = secure.access(.scramSHA512)
            let alice = try KafkaClient(
                bootstrapServers: access.bootstrap,
                properties: access.properties.merging(["default.api.timeout.ms": "2000"]) { $1 })
            let admin = client.admin
            try await admin.createTopic("plant-1", partitions: 1)
            try await admin.createTopic("office", partitions: 1)
            #expect(try await admin.describeAcls().isEmpty)
            func refusal(_ topic: String) async throws -> ErrorCode? {
                do {
                    _ = try await alice.admin.describe(topics: [topic])
                    return nil
                } catch let error as KafkaError { return error.code }
            }
            #expect(try await refusal("plant-1") == .topicAuthorizationFailed)

            let plant = AclResource(.topic, "plant-", patternType: .prefixed)
            let alicesRule = AclBinding(.allow, "User:alice", .read, on: plant)
            let denial = AclBinding(.deny, "User:mallory", .all, on: AclResource(.topic, "*"), host: "10.0.0.1")
            let atOffice = AclBinding(.allow, "User:bob", .write, on: AclResource(.topic, "office"))
            let inGroup = AclBinding(.allow, "User:alice", .read, on: AclResource(.group, "g"))
            let overall = AclBinding(.allow, "User:bob", .describe, on: .cluster)
            let rules = [alicesRule, denial, atOffice, inGroup, overall]
            let nameless = AclBinding(.allow, "User:bob", .read, on: AclResource(.topic, ""))
            for _ in 0..<2 {
                let made = try await admin.createAcls(rules + [nameless])
                #expect(made.count == 6)
                for rule in rules { #expect(throws: Never.self) { try made[rule]?.get() } }
                let error = #expect(throws: KafkaError.self) { try made[nameless]?.get() }
                #expect(error?.code == .invalidRequest)
            }
            try await eventually("the rules are listed") { try await Set(admin.describeAcls()) == Set(rules) }
            try await eventually("alice has access") { try await refusal("plant-1") == nil }
            #expect(try await refusal("office") == .topicAuthorizationFailed)

            func found(_ filter: AclBindingFilter) async throws -> Set<AclBinding> {
                let rules = try await admin.describeAcls(matching: filter)
                #expect(Set(rules).count == rules.count)
                return Set(rules)
            }
            #expect(try await found(AclBindingFilter(principal: "User:alice")) == [alicesRule, inGroup])
            #expect(try await found(AclBindingFilter(resourceKind: .cluster)) == [overall])
            #expect(try await found(AclBindingFilter(host: "10.0.0.1")) == [denial])
            #expect(try await found(AclBindingFilter(operation: .write)) == [atOffice])
            #expect(try await found(AclBindingFilter(permission: .deny)) == [denial])
            #expect(try await found(AclBindingFilter(patternType: .prefixed)) == [alicesRule])
            #expect(
                try await found(
                    AclBindingFilter(resourceKind: .topic, resourceName: "plant-1", patternType: .match))
                    == [alicesRule, denial])
            #expect(try await found(AclBindingFilter(resourceKind: .topic, resourceName: "plant-1")).isEmpty)

            let (hers, none) = (AclBindingFilter(principal: "User:alice"), AclBindingFilter(principal: "User:eve"))
            let deleted = try await admin.deleteAcls(matching: [hers, none])
            #expect(try Set(deleted[hers]?.get().map(\.binding) ?? []) == [alicesRule, inGroup])
            #expect(try deleted[hers]?.get().allSatisfy { $0.error == nil } == true)
            #expect(try deleted[none]?.get().isEmpty == true)
            try await eventually("the others are left") {
                try await Set(admin.describeAcls()) == [denial, atOffice, overall]
            }
            try await eventually("alice has lost access") { try await refusal("plant-1") == .topicAuthorizationFailed }
            await alice.close()
            await client.close()
            try await secure.cluster.shutDown()
        }

        @Test("a broker without an authorizer returns an error", arguments: KafkaHome.all)
        func noAuthorizer(_ home: KafkaHome) async throws {
            let admin = try await TopicFixture(home, partitions: 0).client.admin
            let listing = try await kafkaError { _ = try await admin.describeAcls() }
            let rule = AclBinding(.allow, "User:alice", .read, on: AclResource(.topic, "t"))
            let making = try await kafkaError { try await admin.createAcls([rule])[rule]?.get() }
            let all = AclBindingFilter()
            let deleting = try await kafkaError { _ = try await admin.deleteAcls(matching: [all])[all]?.get() }
            for error in [listing, making, deleting] {
                #expect(error.code == .securityDisabled)
                #expect(error.isFromBroker)
                #expect(error.message.contains("No Authorizer is configured"), "\(error)")
            }
        }
    }
}
