/// The state of a group, by the name that its coordinator sends.
///
/// Open: newer brokers may send other names.
public struct GroupState: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    /// The name in the protocol, such as `Stable`.
    public let rawValue: String

    /// Creates a state from its name in the protocol.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// The group has no members, but possibly offsets.
    public static let empty = GroupState(rawValue: "Empty")
    /// Every member has its assignment.
    public static let stable = GroupState(rawValue: "Stable")
    /// A classic group waits for its members to join again.
    public static let preparingRebalance = GroupState(rawValue: "PreparingRebalance")
    /// A classic group waits for its leader's assignment.
    public static let completingRebalance = GroupState(rawValue: "CompletingRebalance")
    /// The coordinator computes the assignment of a KIP-848 group.
    public static let assigning = GroupState(rawValue: "Assigning")
    /// The members of a KIP-848 group are changing to their assignment.
    public static let reconciling = GroupState(rawValue: "Reconciling")
    /// The group does not exist, or is being deleted.
    public static let dead = GroupState(rawValue: "Dead")

    /// The name in the protocol.
    public var description: String { rawValue }
}

/// The type of a group, by the name that brokers send.
///
/// Open: newer brokers may send other names.
public struct GroupType: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    /// The name in the protocol, in small letters.
    public let rawValue: String

    /// Creates a type from its name in the protocol.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// A group of the classic protocol, with JoinGroup and SyncGroup.
    public static let classic = GroupType(rawValue: "classic")
    /// A group of the consumer protocol, with heartbeats only (KIP-848).
    public static let consumer = GroupType(rawValue: "consumer")
    /// A group whose members share partitions (KIP-932).
    public static let share = GroupType(rawValue: "share")
    /// A group of Kafka Streams (KIP-1071).
    public static let streams = GroupType(rawValue: "streams")

    /// The name in the protocol.
    public var description: String { rawValue }
}

/// A group in a list of groups.
public struct ListedGroup: Sendable, Hashable {
    /// The group's id, `group.id` of its members.
    public let groupID: String
    /// `consumer` for groups of consumers; empty if the group never had a member.
    public let protocolType: String
    /// The state; nil before Kafka 2.6 (KIP-518).
    public let state: GroupState?
    /// The type; nil before Kafka 3.7 (KIP-848), where every group is a classic one.
    public let type: GroupType?

    /// Creates a value, for example in a test.
    public init(
        groupID: String, protocolType: String = "consumer", state: GroupState? = nil, type: GroupType? = nil
    ) {
        self.groupID = groupID
        self.protocolType = protocolType
        self.state = state
        self.type = type
    }
}

/// The groups of a cluster.
public struct GroupListing: Sendable, Hashable {
    /// The groups, by id.
    public let groups: [ListedGroup]
    /// The brokers, by node id, that did not list their groups, and the reasons. Their groups are missing.
    public let failures: [Int32: KafkaError]

    /// Creates a value, for example in a test.
    public init(
        groups: [ListedGroup], failures: [Int32: KafkaError] = [:]
    ) {
        self.groups = groups
        self.failures = failures
    }
}

/// A group with its members.
public struct GroupDescription: Sendable, Hashable {
    /// The group's id, `group.id` of its members.
    public let groupID: String
    /// The type, `classic` or `consumer`.
    public let type: GroupType
    /// The state.
    public let state: GroupState
    /// `consumer` for groups of consumers; empty if the group never had a member.
    public let protocolType: String
    /// The assignor in use; empty if there is none.
    public let assignor: String
    /// The group epoch, which increases when members, subscriptions or partitions change; nil for a classic group.
    public let groupEpoch: Int32?
    /// The group epoch of the members' target assignment; nil for a classic group.
    public let assignmentEpoch: Int32?
    /// The members, in the coordinator's order; empty if only offsets are left.
    public let members: [MemberDescription]
    /// The broker that coordinates the group.
    public let coordinator: BrokerAddress

    /// Creates a value, for example in a test.
    public init(
        groupID: String, type: GroupType = .classic, state: GroupState, protocolType: String = "consumer",
        assignor: String = "", groupEpoch: Int32? = nil, assignmentEpoch: Int32? = nil,
        members: [MemberDescription] = [], coordinator: BrokerAddress
    ) {
        self.groupID = groupID
        self.type = type
        self.state = state
        self.protocolType = protocolType
        self.assignor = assignor
        self.groupEpoch = groupEpoch
        self.assignmentEpoch = assignmentEpoch
        self.members = members
        self.coordinator = coordinator
    }
}

/// A member of a group.
public struct MemberDescription: Sendable, Hashable {
    /// The member's id. The coordinator generates it, or the member in a KIP-848 group.
    public let memberID: String
    /// `group.instance.id` of a static member (KIP-345); nil for other members.
    public let groupInstanceID: String?
    /// The member's `client.id`.
    public let clientID: String
    /// The member's address as the broker sees it, with a slash in front.
    public let clientHost: String
    /// The member's `client.rack`; nil if it reports none.
    public let rack: String?
    /// The group epoch that the member has reached; nil in a classic group.
    public let epoch: Int32?
    /// The topics that the member is subscribed to by name.
    public let subscribedTopics: [String]
    /// The regular expression that the member is subscribed to, in RE2 syntax; nil if there is none, and in a classic
    /// group.
    public let subscribedPattern: String?
    /// The partitions that the member owns; in a classic group, those of the last assignment.
    public let assignment: [TopicPartition]
    /// The partitions that the member owns once all members have reconciled; nil in a classic group.
    public let targetAssignment: [TopicPartition]?

    /// Creates a value, for example in a test.
    public init(
        memberID: String, groupInstanceID: String? = nil, clientID: String, clientHost: String, rack: String? = nil,
        epoch: Int32? = nil, subscribedTopics: [String] = [], subscribedPattern: String? = nil,
        assignment: [TopicPartition] = [], targetAssignment: [TopicPartition]? = nil
    ) {
        self.memberID = memberID
        self.groupInstanceID = groupInstanceID
        self.clientID = clientID
        self.clientHost = clientHost
        self.rack = rack
        self.epoch = epoch
        self.subscribedTopics = subscribedTopics
        self.subscribedPattern = subscribedPattern
        self.assignment = assignment
        self.targetAssignment = targetAssignment
    }
}

extension GroupDescription {
    init(_ group: ConsumerGroupDescribeResponse.Group, coordinator: BrokerAddress) {
        groupID = group.groupId
        type = .consumer
        state = GroupState(rawValue: group.groupState)
        protocolType = "consumer"
        assignor = group.assignorName
        groupEpoch = group.groupEpoch
        assignmentEpoch = group.assignmentEpoch
        members = group.members.map(MemberDescription.init)
        self.coordinator = coordinator
    }

    init(_ group: DescribeGroupsResponse.Group, coordinator: BrokerAddress) {
        groupID = group.groupId
        type = .classic
        state = GroupState(rawValue: group.groupState)
        protocolType = group.protocolType
        assignor = group.protocolData
        groupEpoch = nil
        assignmentEpoch = nil
        let areConsumers = group.protocolType == "consumer"
        members = group.members.map { MemberDescription($0, isConsumer: areConsumers) }
        self.coordinator = coordinator
    }
}

extension MemberDescription {
    fileprivate init(_ member: ConsumerGroupDescribeResponse.Member) {
        memberID = member.memberId
        groupInstanceID = member.instanceId
        clientID = member.clientId
        clientHost = member.clientHost
        rack = member.rackId
        epoch = member.memberEpoch
        subscribedTopics = member.subscribedTopicNames.sorted()
        subscribedPattern = member.subscribedTopicRegex.flatMap { $0.isEmpty ? nil : $0 }
        assignment = Self.partitions(member.assignment)
        targetAssignment = Self.partitions(member.targetAssignment)
    }

    private static func partitions(_ assignment: ConsumerGroupDescribeResponse.Assignment) -> [TopicPartition] {
        assignment.topicPartitions.flatMap { topic in
            topic.partitions.map { TopicPartition(topic: topic.topicName, partition: $0) }
        }.sorted()
    }

    /// - Parameter isConsumer: Whether the member's metadata is that of a consumer. Other metadata is ignored, and so is
    ///   metadata that cannot be decoded.
    fileprivate init(_ member: DescribeGroupsResponse.Member, isConsumer: Bool) {
        memberID = member.memberId
        groupInstanceID = member.groupInstanceId
        clientID = member.clientId
        clientHost = member.clientHost
        epoch = nil
        subscribedPattern = nil
        targetAssignment = nil
        let subscription =
            isConsumer ? try? ConsumerProtocolSubscription.decode(member.memberMetadata) : nil
        rack = subscription?.rackId
        subscribedTopics = subscription?.topics.sorted() ?? []
        let given = isConsumer ? try? ConsumerProtocolAssignment.decode(member.memberAssignment) : nil
        assignment = (given?.assignedPartitions ?? []).flatMap { topic in
            topic.partitions.map { TopicPartition(topic: topic.topic, partition: $0) }
        }.sorted()
    }
}
