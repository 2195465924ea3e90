// The codes of Kafka 4.3, by number.
extension ErrorCode {
    /// An unexpected error for which the broker has no code. The broker's own log says more.
    public static let unknownServerError = ErrorCode(rawValue: -1)
    /// No error.
    public static let none = ErrorCode(rawValue: 0)
    /// The log doesn't have the offset: it was deleted, or isn't written yet. See `auto.offset.reset`.
    public static let offsetOutOfRange = ErrorCode(rawValue: 1)
    /// A record batch has a wrong checksum or invalid content. If this client detects it, the error names the place.
    public static let corruptMessage = ErrorCode(rawValue: 2)
    /// The broker doesn't know the topic or partition, possibly because it was just created.
    public static let unknownTopicOrPartition = ErrorCode(rawValue: 3)
    /// The requested fetch size is invalid.
    public static let invalidFetchSize = ErrorCode(rawValue: 4)
    /// The partition currently has no leader, for example during an election.
    public static let leaderNotAvailable = ErrorCode(rawValue: 5)
    /// The broker no longer leads the partition, or has no replica of it.
    public static let notLeaderOrFollower = ErrorCode(rawValue: 6)
    /// An operation timed out, either at the broker or at this client.
    public static let requestTimedOut = ErrorCode(rawValue: 7)
    /// The cluster has no such broker, or the broker can't be reached.
    public static let brokerNotAvailable = ErrorCode(rawValue: 8)
    /// The broker doesn't have the requested replica.
    public static let replicaNotAvailable = ErrorCode(rawValue: 9)
    /// A batch exceeds the topic's `max.message.bytes`, or a record exceeds `max.request.size`.
    public static let messageTooLarge = ErrorCode(rawValue: 10)
    /// A request came from a controller that has been replaced. Between brokers.
    public static let staleControllerEpoch = ErrorCode(rawValue: 11)
    /// The metadata of a committed offset exceeds the broker's `offset.metadata.max.bytes`.
    public static let offsetMetadataTooLarge = ErrorCode(rawValue: 12)
    /// A connection can't be opened, or was lost before the response arrived. Permanent only if TLS fails, or the
    /// listener expects another security protocol.
    public static let networkException = ErrorCode(rawValue: 13)
    /// The coordinator is still loading its state.
    public static let coordinatorLoadInProgress = ErrorCode(rawValue: 14)
    /// There is currently no coordinator.
    public static let coordinatorNotAvailable = ErrorCode(rawValue: 15)
    /// The broker is no longer the coordinator of this group or transactional id.
    public static let notCoordinator = ErrorCode(rawValue: 16)
    /// The topic's name is invalid, or clients may not write to the topic because it is internal.
    public static let invalidTopicException = ErrorCode(rawValue: 17)
    /// A batch exceeds the log's segment size. From this client: a batch exceeds the limit when decompressed.
    public static let recordListTooLarge = ErrorCode(rawValue: 18)
    /// Fewer than `min.insync.replicas` replicas are in sync. Nothing was written.
    public static let notEnoughReplicas = ErrorCode(rawValue: 19)
    /// The batch was written, but to fewer than `min.insync.replicas` replicas.
    public static let notEnoughReplicasAfterAppend = ErrorCode(rawValue: 20)
    /// The value of `acks` is invalid.
    public static let invalidRequiredAcks = ErrorCode(rawValue: 21)
    /// The member's generation is outdated. Other members may own its partitions.
    public static let illegalGeneration = ErrorCode(rawValue: 22)
    /// The member has no assignor in common with the other members. See `partition.assignment.strategy`.
    public static let inconsistentGroupProtocol = ErrorCode(rawValue: 23)
    /// The group's id is missing or invalid. See `group.id`.
    public static let invalidGroupId = ErrorCode(rawValue: 24)
    /// The group has no such member: it was removed, or has left.
    public static let unknownMemberId = ErrorCode(rawValue: 25)
    /// `session.timeout.ms` is outside of the range from the broker's `group.min.session.timeout.ms` to
    /// `group.max.session.timeout.ms`.
    public static let invalidSessionTimeout = ErrorCode(rawValue: 26)
    /// The group is rebalancing; the member must rejoin first.
    public static let rebalanceInProgress = ErrorCode(rawValue: 27)
    /// A commit exceeds the size limit of the broker's offsets topic.
    public static let invalidCommitOffsetSize = ErrorCode(rawValue: 28)
    /// The principal is not authorized to perform the operation on the topic.
    public static let topicAuthorizationFailed = ErrorCode(rawValue: 29)
    /// The principal is not authorized to perform the operation on the group.
    public static let groupAuthorizationFailed = ErrorCode(rawValue: 30)
    /// The principal is not authorized to perform the operation on the cluster.
    public static let clusterAuthorizationFailed = ErrorCode(rawValue: 31)
    /// A record's timestamp differs too much from the broker's clock. See the topic's
    /// `message.timestamp.before.max.ms`.
    public static let invalidTimestamp = ErrorCode(rawValue: 32)
    /// The listener doesn't support this `sasl.mechanism`. The error names the supported ones.
    public static let unsupportedSaslMechanism = ErrorCode(rawValue: 33)
    /// The listener doesn't support logins, or a request other than a login came before the login.
    public static let illegalSaslState = ErrorCode(rawValue: 34)
    /// Broker and client have no version of the API in common, or not one with the requested feature.
    public static let unsupportedVersion = ErrorCode(rawValue: 35)
    /// A topic of this name exists already.
    public static let topicAlreadyExists = ErrorCode(rawValue: 36)
    /// The number of partitions is invalid, or lower than the current one.
    public static let invalidPartitions = ErrorCode(rawValue: 37)
    /// The replication factor is invalid, or higher than the number of brokers.
    public static let invalidReplicationFactor = ErrorCode(rawValue: 38)
    /// The assignment of replicas to brokers is invalid.
    public static let invalidReplicaAssignment = ErrorCode(rawValue: 39)
    /// A setting has an unknown name or an invalid value. From this client: also a file that can't be used.
    public static let invalidConfig = ErrorCode(rawValue: 40)
    /// The broker is no longer the controller.
    public static let notController = ErrorCode(rawValue: 41)
    /// The request is malformed or contradictory.
    public static let invalidRequest = ErrorCode(rawValue: 42)
    /// The topic's message format doesn't support the request.
    public static let unsupportedForMessageFormat = ErrorCode(rawValue: 43)
    /// The request violates a policy of the cluster, such as its `create.topic.policy.class.name`.
    public static let policyViolation = ErrorCode(rawValue: 44)
    /// A producer's batch reached the leader before an earlier batch of the same producer (KIP-98).
    public static let outOfOrderSequenceNumber = ErrorCode(rawValue: 45)
    /// The log already contains this batch of the producer (KIP-98).
    public static let duplicateSequenceNumber = ErrorCode(rawValue: 46)
    /// The producer's epoch is outdated: another producer took over, or its transaction timed out.
    public static let invalidProducerEpoch = ErrorCode(rawValue: 47)
    /// The state of the transaction or the producer does not permit the operation.
    public static let invalidTxnState = ErrorCode(rawValue: 48)
    /// The producer id no longer belongs to the transactional id (KIP-360).
    public static let invalidProducerIdMapping = ErrorCode(rawValue: 49)
    /// `transaction.timeout.ms` exceeds the broker's `transaction.max.timeout.ms`.
    public static let invalidTransactionTimeout = ErrorCode(rawValue: 50)
    /// The coordinator is still completing the producer's previous transaction.
    public static let concurrentTransactions = ErrorCode(rawValue: 51)
    /// A transaction marker came from a coordinator that has been replaced. Between brokers.
    public static let transactionCoordinatorFenced = ErrorCode(rawValue: 52)
    /// The principal is not authorized to use the transactional id.
    public static let transactionalIdAuthorizationFailed = ErrorCode(rawValue: 53)
    /// The brokers have no authorizer, and therefore no ACLs.
    public static let securityDisabled = ErrorCode(rawValue: 54)
    /// The operation was not attempted, because another part of the request failed. From this client: also a record
    /// of an aborted transaction.
    public static let operationNotAttempted = ErrorCode(rawValue: 55)
    /// The broker's disk failed.
    public static let kafkaStorageError = ErrorCode(rawValue: 56)
    /// The broker has no such log directory.
    public static let logDirNotFound = ErrorCode(rawValue: 57)
    /// The login was refused. The message has the broker's reason.
    public static let saslAuthenticationFailed = ErrorCode(rawValue: 58)
    /// The leader doesn't know the producer, because all of its records were deleted (KIP-360).
    public static let unknownProducerId = ErrorCode(rawValue: 59)
    /// Some of the partitions are already being reassigned.
    public static let reassignmentInProgress = ErrorCode(rawValue: 60)
    /// Delegation tokens are not enabled (KIP-48).
    public static let delegationTokenAuthDisabled = ErrorCode(rawValue: 61)
    /// The delegation token does not exist (KIP-48).
    public static let delegationTokenNotFound = ErrorCode(rawValue: 62)
    /// The delegation token belongs to another user (KIP-48).
    public static let delegationTokenOwnerMismatch = ErrorCode(rawValue: 63)
    /// Delegation tokens can't be requested over this kind of connection (KIP-48).
    public static let delegationTokenRequestNotAllowed = ErrorCode(rawValue: 64)
    /// The principal is not authorized to use the delegation token (KIP-48).
    public static let delegationTokenAuthorizationFailed = ErrorCode(rawValue: 65)
    /// The delegation token has expired (KIP-48).
    public static let delegationTokenExpired = ErrorCode(rawValue: 66)
    /// The type of the principal is not supported.
    public static let invalidPrincipalType = ErrorCode(rawValue: 67)
    /// The group has members and therefore can't be deleted (KIP-229).
    public static let nonEmptyGroup = ErrorCode(rawValue: 68)
    /// The group does not exist, or is of another type.
    public static let groupIdNotFound = ErrorCode(rawValue: 69)
    /// The broker has evicted the fetch session (KIP-227). This client opens another one.
    public static let fetchSessionIdNotFound = ErrorCode(rawValue: 70)
    /// The requests of a fetch session arrived out of order (KIP-227). This client opens another session.
    public static let invalidFetchSessionEpoch = ErrorCode(rawValue: 71)
    /// The leader has no listener that corresponds to the one that the client is connected to.
    public static let listenerNotFound = ErrorCode(rawValue: 72)
    /// The brokers have `delete.topic.enable=false`.
    public static let topicDeletionDisabled = ErrorCode(rawValue: 73)
    /// The client's leader epoch is lower than the broker's (KIP-320).
    public static let fencedLeaderEpoch = ErrorCode(rawValue: 74)
    /// The client's leader epoch is higher than the broker's, whose metadata is outdated (KIP-320).
    public static let unknownLeaderEpoch = ErrorCode(rawValue: 75)
    /// The broker, or this build of the client, doesn't support the batch's codec.
    public static let unsupportedCompressionType = ErrorCode(rawValue: 76)
    /// A broker's registration is outdated. Between brokers.
    public static let staleBrokerEpoch = ErrorCode(rawValue: 77)
    /// A new leader doesn't know its high watermark yet (KIP-207).
    public static let offsetNotAvailable = ErrorCode(rawValue: 78)
    /// The member must repeat its first JoinGroup with the assigned member id (KIP-394).
    public static let memberIdRequired = ErrorCode(rawValue: 79)
    /// The partition's preferred leader is currently not available.
    public static let preferredLeaderNotAvailable = ErrorCode(rawValue: 80)
    /// The group already has `group.max.size` members (KIP-389).
    public static let groupMaxSizeReached = ErrorCode(rawValue: 81)
    /// Another member with the same `group.instance.id` has joined (KIP-345).
    public static let fencedInstanceId = ErrorCode(rawValue: 82)
    /// No replica that could become the leader is available (KIP-460).
    public static let eligibleLeadersNotAvailable = ErrorCode(rawValue: 83)
    /// The partition already has the leader that the election would elect (KIP-460).
    public static let electionNotNeeded = ErrorCode(rawValue: 84)
    /// The partition is not being reassigned (KIP-455).
    public static let noReassignmentInProgress = ErrorCode(rawValue: 85)
    /// Members of the group are subscribed to the topic, so its offsets can't be deleted (KIP-496).
    public static let groupSubscribedToTopic = ErrorCode(rawValue: 86)
    /// The broker rejects a record because of its content, such as a record without a key for a compacted topic
    /// (KIP-467).
    public static let invalidRecord = ErrorCode(rawValue: 87)
    /// An open transaction includes a commit of the offset (KIP-447).
    public static let unstableOffsetCommit = ErrorCode(rawValue: 88)
    /// The principal has exceeded the quota for changes of topics and partitions (KIP-599).
    public static let throttlingQuotaExceeded = ErrorCode(rawValue: 89)
    /// Another producer has taken over the transactional id, so this one cannot continue (KIP-588).
    public static let producerFenced = ErrorCode(rawValue: 90)
    /// The resource does not exist, such as a user's SCRAM credential. From this client: also a settings file that
    /// can't be read.
    public static let resourceNotFound = ErrorCode(rawValue: 91)
    /// The request names a resource twice (KIP-554).
    public static let duplicateResource = ErrorCode(rawValue: 92)
    /// The iteration count or the user name of a SCRAM credential is invalid (KIP-554).
    public static let unacceptableCredential = ErrorCode(rawValue: 93)
    /// Controllers disagree about the set of voters. Between controllers (KIP-595).
    public static let inconsistentVoterSet = ErrorCode(rawValue: 94)
    /// An update is based on an outdated version of the partition's state. Between brokers (KIP-497).
    public static let invalidUpdateVersion = ErrorCode(rawValue: 95)
    /// The cluster's features can't be updated as requested (KIP-584).
    public static let featureUpdateFailed = ErrorCode(rawValue: 96)
    /// A broker can't decode the principal of a forwarded request. Between brokers (KIP-590).
    public static let principalDeserializationFailure = ErrorCode(rawValue: 97)
    /// The snapshot does not exist. Between controllers (KIP-630).
    public static let snapshotNotFound = ErrorCode(rawValue: 98)
    /// The position is outside of the snapshot. Between controllers (KIP-630).
    public static let positionOutOfRange = ErrorCode(rawValue: 99)
    /// The broker doesn't know the topic id, possibly because the topic was just created (KIP-516).
    public static let unknownTopicId = ErrorCode(rawValue: 100)
    /// A broker with this id is already registered. Between brokers (KIP-631).
    public static let duplicateBrokerRegistration = ErrorCode(rawValue: 101)
    /// No broker with this id is registered. Between brokers (KIP-631).
    public static let brokerIdNotRegistered = ErrorCode(rawValue: 102)
    /// The log on disk belongs to a topic with another id (KIP-516).
    public static let inconsistentTopicId = ErrorCode(rawValue: 103)
    /// The sender belongs to another cluster. Between controllers.
    public static let inconsistentClusterId = ErrorCode(rawValue: 104)
    /// The transactional id does not exist (KIP-664).
    public static let transactionalIdNotFound = ErrorCode(rawValue: 105)
    /// A fetch session mixes topic names and topic ids (KIP-516). This client opens another session.
    public static let fetchSessionTopicIdError = ErrorCode(rawValue: 106)
    /// A replica is not eligible to be in sync. Between brokers.
    public static let ineligibleReplica = ErrorCode(rawValue: 107)
    /// A change of the partition caused the election of another leader. Between brokers.
    public static let newLeaderElected = ErrorCode(rawValue: 108)
    /// The offset is in tiered storage and no longer on the broker's disk (KIP-405).
    public static let offsetMovedToTieredStorage = ErrorCode(rawValue: 109)
    /// The coordinator has fenced the member, because its epoch is wrong (KIP-848).
    public static let fencedMemberEpoch = ErrorCode(rawValue: 110)
    /// A member with the same `group.instance.id` is still in the group (KIP-848).
    public static let unreleasedInstanceId = ErrorCode(rawValue: 111)
    /// The coordinator doesn't support the assignor of `group.remote.assignor` (KIP-848).
    public static let unsupportedAssignor = ErrorCode(rawValue: 112)
    /// The member's epoch is outdated; its next heartbeat returns the current one (KIP-848).
    public static let staleMemberEpoch = ErrorCode(rawValue: 113)
    /// A request for a controller was sent to a broker, or the reverse (KIP-919).
    public static let mismatchedEndpointType = ErrorCode(rawValue: 114)
    /// The receiver doesn't support this type of endpoint (KIP-919).
    public static let unsupportedEndpointType = ErrorCode(rawValue: 115)
    /// No controller has this id (KIP-919).
    public static let unknownControllerId = ErrorCode(rawValue: 116)
    /// The subscription to client metrics has changed (KIP-714).
    public static let unknownSubscriptionId = ErrorCode(rawValue: 117)
    /// The client's metrics exceed the broker's size limit (KIP-714).
    public static let telemetryTooLarge = ErrorCode(rawValue: 118)
    /// The controller rejects a broker's registration. Between brokers.
    public static let invalidRegistration = ErrorCode(rawValue: 119)
    /// The transaction can't be committed. Abort it, and run it again (KIP-890, KIP-1050).
    public static let transactionAbortable = ErrorCode(rawValue: 120)
    /// The state of a share group's record does not permit the operation (KIP-932).
    public static let invalidRecordState = ErrorCode(rawValue: 121)
    /// The share session does not exist (KIP-932).
    public static let shareSessionNotFound = ErrorCode(rawValue: 122)
    /// The requests of a share session arrived out of order (KIP-932).
    public static let invalidShareSessionEpoch = ErrorCode(rawValue: 123)
    /// The state epoch of a share partition is outdated. Between brokers (KIP-932).
    public static let fencedStateEpoch = ErrorCode(rawValue: 124)
    /// The voter's key doesn't match its id. Between controllers (KIP-853).
    public static let invalidVoterKey = ErrorCode(rawValue: 125)
    /// The voter is already in the set of voters (KIP-853).
    public static let duplicateVoter = ErrorCode(rawValue: 126)
    /// The voter is not in the set of voters (KIP-853).
    public static let voterNotFound = ErrorCode(rawValue: 127)
    /// The broker can't compile the subscription's regular expression, which must have RE2/J's syntax (KIP-848).
    public static let invalidRegularExpression = ErrorCode(rawValue: 128)
    /// The client must discard its metadata and return to the bootstrap servers (KIP-1102).
    public static let rebootstrapRequired = ErrorCode(rawValue: 129)
    /// The topology of a Kafka Streams group is invalid (KIP-1071).
    public static let streamsInvalidTopology = ErrorCode(rawValue: 130)
    /// The topology epoch of a Kafka Streams group is invalid (KIP-1071).
    public static let streamsInvalidTopologyEpoch = ErrorCode(rawValue: 131)
    /// The topology epoch of a Kafka Streams group is outdated (KIP-1071).
    public static let streamsTopologyFenced = ErrorCode(rawValue: 132)
    /// The broker has reached its limit of share sessions (KIP-932).
    public static let shareSessionLimitReached = ErrorCode(rawValue: 133)

    /// A log was truncated before the position up to which it was read (KIP-320). Brokers have no code for this; the
    /// number is librdkafka's.
    public static let logTruncation = ErrorCode(rawValue: -139)
}
