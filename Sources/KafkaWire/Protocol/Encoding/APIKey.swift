/// The Kafka APIs that this client uses. The raw value is the API key on the wire.
@nonexhaustive
public enum APIKey: Int16, Sendable, CaseIterable {
    /// Writes records to partition leaders.
    case produce = 0
    /// Reads records from partition leaders, or from nearby replicas (KIP-392).
    case fetch = 1
    /// Looks up offsets by position or timestamp (KIP-79).
    case listOffsets = 2
    /// Describes brokers, topics and partition leaders.
    case metadata = 3
    /// Commits a group's offsets.
    case offsetCommit = 8
    /// Fetches a group's committed offsets.
    case offsetFetch = 9
    /// Finds the coordinator of a group or transactional id.
    case findCoordinator = 10
    /// Joins a classic group, or its next rebalance.
    case joinGroup = 11
    /// Keeps a classic group's member alive.
    case heartbeat = 12
    /// Removes members from a classic group.
    case leaveGroup = 13
    /// Sends the leader's assignment to a classic group's coordinator, and returns each member its part.
    case syncGroup = 14
    /// Describes classic groups and their members.
    case describeGroups = 15
    /// Lists the groups that a broker coordinates.
    case listGroups = 16
    /// Selects the SASL mechanism (KIP-43).
    case saslHandshake = 17
    /// Lists the API versions that a broker supports (KIP-35).
    case apiVersions = 18
    /// Creates topics (KIP-4).
    case createTopics = 19
    /// Deletes topics (KIP-4).
    case deleteTopics = 20
    /// Deletes records before an offset (KIP-107).
    case deleteRecords = 21
    /// Allocates a producer id and epoch (KIP-98).
    case initProducerID = 22
    /// Finds the end offset of a leader epoch, to detect log truncation (KIP-101, KIP-320).
    case offsetForLeaderEpoch = 23
    /// Adds partitions to a transaction (KIP-98).
    case addPartitionsToTxn = 24
    /// Adds a group's offsets to a transaction (KIP-98).
    case addOffsetsToTxn = 25
    /// Commits or aborts a transaction (KIP-98).
    case endTxn = 26
    /// Commits a group's offsets in a transaction (KIP-98, KIP-447).
    case txnOffsetCommit = 28
    /// Lists ACLs that match a filter (KIP-140).
    case describeAcls = 29
    /// Creates ACLs (KIP-140).
    case createAcls = 30
    /// Deletes ACLs that match filters (KIP-140).
    case deleteAcls = 31
    /// Describes the settings of topics, brokers and groups (KIP-133).
    case describeConfigs = 32
    /// Exchanges SASL tokens (KIP-152).
    case saslAuthenticate = 36
    /// Adds partitions to topics (KIP-195).
    case createPartitions = 37
    /// Deletes groups without members (KIP-229).
    case deleteGroups = 42
    /// Changes individual settings (KIP-339).
    case incrementalAlterConfigs = 44
    /// Deletes a group's committed offsets (KIP-496).
    case offsetDelete = 47
    /// Lists users with SCRAM credentials (KIP-554).
    case describeUserScramCredentials = 50
    /// Sets and deletes SCRAM credentials (KIP-554).
    case alterUserScramCredentials = 51
    /// Describes the cluster's id, controller and brokers (KIP-700).
    case describeCluster = 60
    /// Joins, leaves and keeps alive a member of a KIP-848 group, and assigns its partitions.
    case consumerGroupHeartbeat = 68
    /// Describes KIP-848 groups and their members.
    case consumerGroupDescribe = 69

    /// The API's name in Kafka's documentation.
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
