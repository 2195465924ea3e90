/// An API of the Kafka protocol, by the number that names it on the wire. Only those that this client speaks are listed.
public enum APIKey: Int16, Sendable, CaseIterable {
    /// Records for partitions' leaders.
    case produce = 0
    /// Records from partitions' leaders, or replicas nearby (KIP-392).
    case fetch = 1
    /// Offsets by place or time (KIP-79).
    case listOffsets = 2
    /// Brokers, topics and leaders.
    case metadata = 3
    /// Offsets of a group, to its coordinator.
    case offsetCommit = 8
    /// Offsets of a group, from its coordinator.
    case offsetFetch = 9
    /// Which broker coordinates a group or a transactional id.
    case findCoordinator = 10
    /// A classic group's members come together for a generation.
    case joinGroup = 11
    /// A classic group's member is alive.
    case heartbeat = 12
    /// A classic group's member goes.
    case leaveGroup = 13
    /// The leader of a classic group gives its assignment, and each member gets its own.
    case syncGroup = 14
    /// Classic groups with their members.
    case describeGroups = 15
    /// The groups that a broker coordinates.
    case listGroups = 16
    /// By which mechanism a login is to be (KIP-43).
    case saslHandshake = 17
    /// Which versions of which APIs a broker speaks (KIP-35).
    case apiVersions = 18
    /// New topics (KIP-4).
    case createTopics = 19
    /// The end of topics (KIP-4).
    case deleteTopics = 20
    /// The end of records up to an offset (KIP-107).
    case deleteRecords = 21
    /// A producer's id and epoch (KIP-98).
    case initProducerID = 22
    /// Where a leader's epoch ends, to find a log that was cut back (KIP-101, KIP-320).
    case offsetForLeaderEpoch = 23
    /// Partitions that a transaction writes to (KIP-98).
    case addPartitionsToTxn = 24
    /// A group whose offsets a transaction commits (KIP-98).
    case addOffsetsToTxn = 25
    /// Commit or abort (KIP-98).
    case endTxn = 26
    /// A group's offsets as part of a transaction (KIP-98, KIP-447).
    case txnOffsetCommit = 28
    /// Access rules that a filter finds (KIP-140).
    case describeAcls = 29
    /// New access rules (KIP-140).
    case createAcls = 30
    /// The end of access rules that a filter finds (KIP-140).
    case deleteAcls = 31
    /// Settings of topics, brokers and groups (KIP-133).
    case describeConfigs = 32
    /// The steps of a login (KIP-152).
    case saslAuthenticate = 36
    /// More partitions for topics (KIP-195).
    case createPartitions = 37
    /// The end of groups without members (KIP-229).
    case deleteGroups = 42
    /// Changes of single settings (KIP-339).
    case incrementalAlterConfigs = 44
    /// The end of a group's offsets (KIP-496).
    case offsetDelete = 47
    /// Who can log in by SCRAM (KIP-554).
    case describeUserScramCredentials = 50
    /// New SCRAM passwords, and the end of others (KIP-554).
    case alterUserScramCredentials = 51
    /// The cluster's id, controller and brokers (KIP-700).
    case describeCluster = 60
    /// All that a member of a KIP-848 group and its coordinator say to each other.
    case consumerGroupHeartbeat = 68
    /// KIP-848 groups with their members.
    case consumerGroupDescribe = 69

    /// The name that Kafka's documentation uses.
    public var name: String {
        switch self {
        case .produce: "Produce"
        case .fetch: "Fetch"
        case .listOffsets: "ListOffsets"
        case .metadata: "Metadata"
        case .offsetCommit: "OffsetCommit"
        case .offsetFetch: "OffsetFetch"
        case .findCoordinator: "FindCoordinator"
        case .joinGroup: "JoinGroup"
        case .heartbeat: "Heartbeat"
        case .leaveGroup: "LeaveGroup"
        case .syncGroup: "SyncGroup"
        case .describeGroups: "DescribeGroups"
        case .listGroups: "ListGroups"
        case .saslHandshake: "SaslHandshake"
        case .apiVersions: "ApiVersions"
        case .createTopics: "CreateTopics"
        case .deleteTopics: "DeleteTopics"
        case .deleteRecords: "DeleteRecords"
        case .initProducerID: "InitProducerId"
        case .offsetForLeaderEpoch: "OffsetForLeaderEpoch"
        case .addPartitionsToTxn: "AddPartitionsToTxn"
        case .addOffsetsToTxn: "AddOffsetsToTxn"
        case .endTxn: "EndTxn"
        case .txnOffsetCommit: "TxnOffsetCommit"
        case .describeAcls: "DescribeAcls"
        case .createAcls: "CreateAcls"
        case .deleteAcls: "DeleteAcls"
        case .describeConfigs: "DescribeConfigs"
        case .saslAuthenticate: "SaslAuthenticate"
        case .createPartitions: "CreatePartitions"
        case .deleteGroups: "DeleteGroups"
        case .incrementalAlterConfigs: "IncrementalAlterConfigs"
        case .offsetDelete: "OffsetDelete"
        case .describeUserScramCredentials: "DescribeUserScramCredentials"
        case .alterUserScramCredentials: "AlterUserScramCredentials"
        case .describeCluster: "DescribeCluster"
        case .consumerGroupHeartbeat: "ConsumerGroupHeartbeat"
        case .consumerGroupDescribe: "ConsumerGroupDescribe"
        }
    }
}
