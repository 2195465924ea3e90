/// What a group is doing, by the name that its coordinator sends; a newer broker may send others than those here.
public struct GroupState: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    /// As the coordinator sends it.
    public let rawValue: String

    /// For a state that a newer broker has.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// No member, though perhaps offsets.
    public static let empty = GroupState(rawValue: "Empty")
    /// Every member has what it is to have.
    public static let stable = GroupState(rawValue: "Stable")
    /// A classic group that waits for its members to join anew.
    public static let preparingRebalance = GroupState(rawValue: "PreparingRebalance")
    /// A classic group that waits for its leader's assignment.
    public static let completingRebalance = GroupState(rawValue: "CompletingRebalance")
    /// A KIP-848 group whose assignment is being made.
    public static let assigning = GroupState(rawValue: "Assigning")
    /// A KIP-848 group whose members are on their way to their assignment.
    public static let reconciling = GroupState(rawValue: "Reconciling")
    /// No group at all, or one that is going.
    public static let dead = GroupState(rawValue: "Dead")

    public var description: String { rawValue }
}

/// How a group's members come to agree, by the name that brokers send.
public struct GroupType: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    /// As brokers send it, in small letters.
    public let rawValue: String

    /// For a type that a newer broker has.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// By JoinGroup and SyncGroup.
    public static let classic = GroupType(rawValue: "classic")
    /// By heartbeats alone (KIP-848).
    public static let consumer = GroupType(rawValue: "consumer")
    /// Members share partitions (KIP-932).
    public static let share = GroupType(rawValue: "share")
    /// Of Kafka Streams (KIP-1071).
    public static let streams = GroupType(rawValue: "streams")

    public var description: String { rawValue }
}

/// A group as a list of groups names it.
public struct ListedGroup: Sendable, Hashable {
    /// `group.id` of its members.
    public let groupID: String
    /// `consumer` for groups of consumers; empty where there never was a member.
    public let protocolType: String
    /// Nil before Kafka 2.6 (KIP-518).
    public let state: GroupState?
    /// Nil before Kafka 3.7 (KIP-848), where every group is a classic one.
    public let type: GroupType?
}

/// The groups of a cluster.
public struct GroupListing: Sendable {
    /// By id.
    public let groups: [ListedGroup]
    /// The brokers, by node id, that didn't tell their groups, and why: what they coordinate is missing.
    public let failures: [Int32: KafkaError]
}

/// A group with its members.
public struct GroupDescription: Sendable, Hashable {
    /// `group.id` of its members.
    public let groupID: String
    /// `classic` or `consumer`, as its coordinator describes it.
    public let type: GroupType
    /// What it does at the moment.
    public let state: GroupState
    /// `consumer` for groups of consumers; empty where there never was a member.
    public let protocolType: String
    /// The assignor that is in use; empty where there is none.
    public let assignor: String
    /// Goes up whenever members, subscriptions or partitions change; nil for a classic group.
    public let groupEpoch: Int32?
    /// The group epoch that the members' target assignment was made for; nil for a classic group.
    public let assignmentEpoch: Int32?
    /// In the coordinator's order; empty where only offsets are left.
    public let members: [MemberDescription]
    /// The broker that coordinates the group.
    public let coordinator: BrokerAddress
}

/// A member of a group.
public struct MemberDescription: Sendable, Hashable {
    /// Made up by the coordinator or, with KIP-848, by the member.
    public let memberID: String
    /// `group.instance.id` of a static member (KIP-345); nil for others.
    public let groupInstanceID: String?
    /// The member's `client.id`.
    public let clientID: String
    /// As the broker sees it, with a slash in front.
    public let clientHost: String
    /// The member's `client.rack`; nil where it doesn't tell one.
    public let rack: String?
    /// The group epoch that the member has come to; nil in a classic group.
    public let epoch: Int32?
    /// What the member is subscribed to by name.
    public let subscribedTopics: [String]
    /// What it is subscribed to by a regular expression in the syntax of RE2; nil for none, and in a classic group.
    public let subscribedPattern: String?
    /// What the member has; in a classic group, what it was given last.
    public let assignment: [TopicPartition]
    /// What it is to have once all members have reconciled; nil in a classic group.
    public let targetAssignment: [TopicPartition]?
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

    /// - Parameter isConsumer: Whether the member's own bytes are those of a consumer; others are left alone, and so
    ///   are those that can't be read.
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
