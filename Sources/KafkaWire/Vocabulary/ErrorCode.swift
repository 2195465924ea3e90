/// One of Kafka's error codes, with Kafka's own name for it.
///
/// Open: a code of a newer broker keeps its number and is not retriable.
public struct ErrorCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The number in the protocol.
    public let rawValue: Int16

    /// Creates a code from its number in the protocol. A number that Kafka does not use is described as `ERROR_n`.
    public init(rawValue: Int16) {
        self.rawValue = rawValue
    }

    /// The name as in Kafka's protocol guide, such as `NOT_LEADER_OR_FOLLOWER`; `ERROR_n` for an unknown code.
    public var description: String {
        entry?.name ?? (self == .logTruncation ? "LOG_TRUNCATION" : "ERROR_\(rawValue)")
    }

    /// Whether the same request can succeed later, according to Kafka's protocol guide.
    public var isRetriable: Bool { entry?.isRetriable ?? false }

    /// Whether the principal lacks a permission for a topic, a group, a transactional id, a delegation token or the
    /// cluster.
    public var isAuthorization: Bool {
        switch self {
        case .topicAuthorizationFailed, .groupAuthorizationFailed, .clusterAuthorizationFailed,
            .transactionalIdAuthorizationFailed, .delegationTokenAuthorizationFailed:
            true
        default: false
        }
    }

    /// Whether a permanent error of this code ends the producer, consumer or client that gets it.
    func isFatal(isFromBroker: Bool) -> Bool {
        switch self {
        case .saslAuthenticationFailed, .unsupportedSaslMechanism, .illegalSaslState, .producerFenced,
            .fencedInstanceId, .transactionCoordinatorFenced, .transactionalIdAuthorizationFailed,
            .invalidTransactionTimeout, .networkException:
            true
        // From a broker it is about a setting of a topic or another resource.
        case .invalidConfig: !isFromBroker
        default: false
        }
    }

    /// A row of the protocol guide's table of error codes.
    struct Entry: Sendable {
        let code: Int16
        let name: String
        let isRetriable: Bool

        init(_ code: Int16, _ name: String, retriable isRetriable: Bool = false) {
            self.code = code
            self.name = name
            self.isRetriable = isRetriable
        }
    }

    private var entry: Entry? {
        // The table has no gaps and begins at -1.
        let index = Int(rawValue) + 1
        return Self.table.indices.contains(index) ? Self.table[index] : nil
    }

    static let table: [Entry] = [
        Entry(-1, "UNKNOWN_SERVER_ERROR"),
        Entry(0, "NONE"),
        Entry(1, "OFFSET_OUT_OF_RANGE"),
        Entry(2, "CORRUPT_MESSAGE", retriable: true),
        Entry(3, "UNKNOWN_TOPIC_OR_PARTITION", retriable: true),
        Entry(4, "INVALID_FETCH_SIZE"),
        Entry(5, "LEADER_NOT_AVAILABLE", retriable: true),
        Entry(6, "NOT_LEADER_OR_FOLLOWER", retriable: true),
        Entry(7, "REQUEST_TIMED_OUT", retriable: true),
        Entry(8, "BROKER_NOT_AVAILABLE"),
        Entry(9, "REPLICA_NOT_AVAILABLE", retriable: true),
        Entry(10, "MESSAGE_TOO_LARGE"),
        Entry(11, "STALE_CONTROLLER_EPOCH"),
        Entry(12, "OFFSET_METADATA_TOO_LARGE"),
        Entry(13, "NETWORK_EXCEPTION", retriable: true),
        Entry(14, "COORDINATOR_LOAD_IN_PROGRESS", retriable: true),
        Entry(15, "COORDINATOR_NOT_AVAILABLE", retriable: true),
        Entry(16, "NOT_COORDINATOR", retriable: true),
        Entry(17, "INVALID_TOPIC_EXCEPTION"),
        Entry(18, "RECORD_LIST_TOO_LARGE"),
        Entry(19, "NOT_ENOUGH_REPLICAS", retriable: true),
        Entry(20, "NOT_ENOUGH_REPLICAS_AFTER_APPEND", retriable: true),
        Entry(21, "INVALID_REQUIRED_ACKS"),
        Entry(22, "ILLEGAL_GENERATION"),
        Entry(23, "INCONSISTENT_GROUP_PROTOCOL"),
        Entry(24, "INVALID_GROUP_ID"),
        Entry(25, "UNKNOWN_MEMBER_ID"),
        Entry(26, "INVALID_SESSION_TIMEOUT"),
        Entry(27, "REBALANCE_IN_PROGRESS"),
        Entry(28, "INVALID_COMMIT_OFFSET_SIZE"),
        Entry(29, "TOPIC_AUTHORIZATION_FAILED"),
        Entry(30, "GROUP_AUTHORIZATION_FAILED"),
        Entry(31, "CLUSTER_AUTHORIZATION_FAILED"),
        Entry(32, "INVALID_TIMESTAMP"),
        Entry(33, "UNSUPPORTED_SASL_MECHANISM"),
        Entry(34, "ILLEGAL_SASL_STATE"),
        Entry(35, "UNSUPPORTED_VERSION"),
        Entry(36, "TOPIC_ALREADY_EXISTS"),
        Entry(37, "INVALID_PARTITIONS"),
        Entry(38, "INVALID_REPLICATION_FACTOR"),
        Entry(39, "INVALID_REPLICA_ASSIGNMENT"),
        Entry(40, "INVALID_CONFIG"),
        Entry(41, "NOT_CONTROLLER", retriable: true),
        Entry(42, "INVALID_REQUEST"),
        Entry(43, "UNSUPPORTED_FOR_MESSAGE_FORMAT"),
        Entry(44, "POLICY_VIOLATION"),
        Entry(45, "OUT_OF_ORDER_SEQUENCE_NUMBER"),
        Entry(46, "DUPLICATE_SEQUENCE_NUMBER"),
        Entry(47, "INVALID_PRODUCER_EPOCH"),
        Entry(48, "INVALID_TXN_STATE"),
        Entry(49, "INVALID_PRODUCER_ID_MAPPING"),
        Entry(50, "INVALID_TRANSACTION_TIMEOUT"),
        Entry(51, "CONCURRENT_TRANSACTIONS", retriable: true),
        Entry(52, "TRANSACTION_COORDINATOR_FENCED"),
        Entry(53, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED"),
        Entry(54, "SECURITY_DISABLED"),
        Entry(55, "OPERATION_NOT_ATTEMPTED"),
        Entry(56, "KAFKA_STORAGE_ERROR", retriable: true),
        Entry(57, "LOG_DIR_NOT_FOUND"),
        Entry(58, "SASL_AUTHENTICATION_FAILED"),
        Entry(59, "UNKNOWN_PRODUCER_ID"),
        Entry(60, "REASSIGNMENT_IN_PROGRESS"),
        Entry(61, "DELEGATION_TOKEN_AUTH_DISABLED"),
        Entry(62, "DELEGATION_TOKEN_NOT_FOUND"),
        Entry(63, "DELEGATION_TOKEN_OWNER_MISMATCH"),
        Entry(64, "DELEGATION_TOKEN_REQUEST_NOT_ALLOWED"),
        Entry(65, "DELEGATION_TOKEN_AUTHORIZATION_FAILED"),
        Entry(66, "DELEGATION_TOKEN_EXPIRED"),
        Entry(67, "INVALID_PRINCIPAL_TYPE"),
        Entry(68, "NON_EMPTY_GROUP"),
        Entry(69, "GROUP_ID_NOT_FOUND"),
        Entry(70, "FETCH_SESSION_ID_NOT_FOUND", retriable: true),
        Entry(71, "INVALID_FETCH_SESSION_EPOCH", retriable: true),
        Entry(72, "LISTENER_NOT_FOUND", retriable: true),
        Entry(73, "TOPIC_DELETION_DISABLED"),
        Entry(74, "FENCED_LEADER_EPOCH", retriable: true),
        Entry(75, "UNKNOWN_LEADER_EPOCH", retriable: true),
        Entry(76, "UNSUPPORTED_COMPRESSION_TYPE"),
        Entry(77, "STALE_BROKER_EPOCH"),
        Entry(78, "OFFSET_NOT_AVAILABLE", retriable: true),
        Entry(79, "MEMBER_ID_REQUIRED"),
        Entry(80, "PREFERRED_LEADER_NOT_AVAILABLE", retriable: true),
        Entry(81, "GROUP_MAX_SIZE_REACHED"),
        Entry(82, "FENCED_INSTANCE_ID"),
        Entry(83, "ELIGIBLE_LEADERS_NOT_AVAILABLE", retriable: true),
        Entry(84, "ELECTION_NOT_NEEDED", retriable: true),
        Entry(85, "NO_REASSIGNMENT_IN_PROGRESS"),
        Entry(86, "GROUP_SUBSCRIBED_TO_TOPIC"),
        Entry(87, "INVALID_RECORD"),
        Entry(88, "UNSTABLE_OFFSET_COMMIT", retriable: true),
        Entry(89, "THROTTLING_QUOTA_EXCEEDED", retriable: true),
        Entry(90, "PRODUCER_FENCED"),
        Entry(91, "RESOURCE_NOT_FOUND"),
        Entry(92, "DUPLICATE_RESOURCE"),
        Entry(93, "UNACCEPTABLE_CREDENTIAL"),
        Entry(94, "INCONSISTENT_VOTER_SET"),
        Entry(95, "INVALID_UPDATE_VERSION"),
        Entry(96, "FEATURE_UPDATE_FAILED"),
        Entry(97, "PRINCIPAL_DESERIALIZATION_FAILURE"),
        Entry(98, "SNAPSHOT_NOT_FOUND"),
        Entry(99, "POSITION_OUT_OF_RANGE"),
        Entry(100, "UNKNOWN_TOPIC_ID", retriable: true),
        Entry(101, "DUPLICATE_BROKER_REGISTRATION"),
        Entry(102, "BROKER_ID_NOT_REGISTERED"),
        Entry(103, "INCONSISTENT_TOPIC_ID", retriable: true),
        Entry(104, "INCONSISTENT_CLUSTER_ID"),
        Entry(105, "TRANSACTIONAL_ID_NOT_FOUND"),
        Entry(106, "FETCH_SESSION_TOPIC_ID_ERROR", retriable: true),
        Entry(107, "INELIGIBLE_REPLICA"),
        Entry(108, "NEW_LEADER_ELECTED"),
        Entry(109, "OFFSET_MOVED_TO_TIERED_STORAGE"),
        Entry(110, "FENCED_MEMBER_EPOCH"),
        Entry(111, "UNRELEASED_INSTANCE_ID"),
        Entry(112, "UNSUPPORTED_ASSIGNOR"),
        Entry(113, "STALE_MEMBER_EPOCH"),
        Entry(114, "MISMATCHED_ENDPOINT_TYPE"),
        Entry(115, "UNSUPPORTED_ENDPOINT_TYPE"),
        Entry(116, "UNKNOWN_CONTROLLER_ID"),
        Entry(117, "UNKNOWN_SUBSCRIPTION_ID"),
        Entry(118, "TELEMETRY_TOO_LARGE"),
        Entry(119, "INVALID_REGISTRATION"),
        Entry(120, "TRANSACTION_ABORTABLE"),
        Entry(121, "INVALID_RECORD_STATE"),
        Entry(122, "SHARE_SESSION_NOT_FOUND", retriable: true),
        Entry(123, "INVALID_SHARE_SESSION_EPOCH", retriable: true),
        Entry(124, "FENCED_STATE_EPOCH"),
        Entry(125, "INVALID_VOTER_KEY"),
        Entry(126, "DUPLICATE_VOTER"),
        Entry(127, "VOTER_NOT_FOUND"),
        Entry(128, "INVALID_REGULAR_EXPRESSION"),
        Entry(129, "REBOOTSTRAP_REQUIRED"),
        Entry(130, "STREAMS_INVALID_TOPOLOGY"),
        Entry(131, "STREAMS_INVALID_TOPOLOGY_EPOCH"),
        Entry(132, "STREAMS_TOPOLOGY_FENCED"),
        Entry(133, "SHARE_SESSION_LIMIT_REACHED", retriable: true),
    ]
}
