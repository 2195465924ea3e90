// The codes of Kafka 4.3, by number.
extension ErrorCode {
    /// The broker failed in a way that it has no code for; its own log says more.
    public static let unknownServerError = ErrorCode(rawValue: -1)
    /// No error.
    public static let none = ErrorCode(rawValue: 0)
    /// The log doesn't have the offset: it was deleted already, or isn't written yet. See `auto.offset.reset`.
    public static let offsetOutOfRange = ErrorCode(rawValue: 1)
    /// A record batch whose checksum or content is wrong. This client's own errors of that kind name the place.
    public static let corruptMessage = ErrorCode(rawValue: 2)
    /// The broker has no such topic or partition, or none yet.
    public static let unknownTopicOrPartition = ErrorCode(rawValue: 3)
    /// The broker can't answer a fetch of that size.
    public static let invalidFetchSize = ErrorCode(rawValue: 4)
    /// The partition has no leader at the moment, as while one is being elected.
    public static let leaderNotAvailable = ErrorCode(rawValue: 5)
    /// The broker that was asked doesn't lead the partition any more, or has no replica of it.
    public static let notLeaderOrFollower = ErrorCode(rawValue: 6)
    /// Something wasn't done in time: by the broker, or by this client within one of its time-outs.
    public static let requestTimedOut = ErrorCode(rawValue: 7)
    /// The cluster has no such broker, or it can't be reached.
    public static let brokerNotAvailable = ErrorCode(rawValue: 8)
    /// The broker doesn't have the replica that was asked for.
    public static let replicaNotAvailable = ErrorCode(rawValue: 9)
    /// A batch is larger than the topic's `max.message.bytes`, or a record than `max.request.size`.
    public static let messageTooLarge = ErrorCode(rawValue: 10)
    /// A controller that has a successor has spoken; between brokers.
    public static let staleControllerEpoch = ErrorCode(rawValue: 11)
    /// The text beside a committed offset is longer than the broker's `offset.metadata.max.bytes`.
    public static let offsetMetadataTooLarge = ErrorCode(rawValue: 12)
    /// A connection can't be opened, or ended before the answer. For good only where TLS or the listener's kind is
    /// wrong.
    public static let networkException = ErrorCode(rawValue: 13)
    /// The coordinator has only just become so, and still reads what it has to know.
    public static let coordinatorLoadInProgress = ErrorCode(rawValue: 14)
    /// There is no coordinator at the moment.
    public static let coordinatorNotAvailable = ErrorCode(rawValue: 15)
    /// The broker that was asked isn't the coordinator of this group or transactional id any more.
    public static let notCoordinator = ErrorCode(rawValue: 16)
    /// A topic's name can't be, or a topic isn't to be written to, as Kafka's own.
    public static let invalidTopicException = ErrorCode(rawValue: 17)
    /// A batch is larger than a segment of the log; from this client, one that would inflate beyond its limit.
    public static let recordListTooLarge = ErrorCode(rawValue: 18)
    /// Fewer replicas than `min.insync.replicas` are in sync; nothing was written.
    public static let notEnoughReplicas = ErrorCode(rawValue: 19)
    /// The batch was written, but fewer replicas than `min.insync.replicas` have it.
    public static let notEnoughReplicasAfterAppend = ErrorCode(rawValue: 20)
    /// The broker doesn't know the value of `acks`.
    public static let invalidRequiredAcks = ErrorCode(rawValue: 21)
    /// The member's generation isn't the group's any more: its partitions may be another member's.
    public static let illegalGeneration = ErrorCode(rawValue: 22)
    /// The member has no way of dividing partitions in common with the others: see `partition.assignment.strategy`.
    public static let inconsistentGroupProtocol = ErrorCode(rawValue: 23)
    /// The group's name is missing or can't be: see `group.id`.
    public static let invalidGroupId = ErrorCode(rawValue: 24)
    /// The group has no such member any more: it was put out, or has left.
    public static let unknownMemberId = ErrorCode(rawValue: 25)
    /// `session.timeout.ms` isn't in the range that the broker has in `group.min.session.timeout.ms` and its like.
    public static let invalidSessionTimeout = ErrorCode(rawValue: 26)
    /// The group is being divided anew; the member has to join first.
    public static let rebalanceInProgress = ErrorCode(rawValue: 27)
    /// A commit's offsets and texts are too large for the broker's own log.
    public static let invalidCommitOffsetSize = ErrorCode(rawValue: 28)
    /// The user may not do this with the topic.
    public static let topicAuthorizationFailed = ErrorCode(rawValue: 29)
    /// The user may not do this with the group.
    public static let groupAuthorizationFailed = ErrorCode(rawValue: 30)
    /// The user may not do this with the cluster.
    public static let clusterAuthorizationFailed = ErrorCode(rawValue: 31)
    /// A record's timestamp is too far from the broker's clock: see the topic's `message.timestamp.before.max.ms`.
    public static let invalidTimestamp = ErrorCode(rawValue: 32)
    /// The listener doesn't take this `sasl.mechanism`; the error says which it takes.
    public static let unsupportedSaslMechanism = ErrorCode(rawValue: 33)
    /// A login came where none is taken, or something else before a login.
    public static let illegalSaslState = ErrorCode(rawValue: 34)
    /// The broker speaks no version of the API that this client speaks, or one without what was asked for.
    public static let unsupportedVersion = ErrorCode(rawValue: 35)
    /// There is a topic of that name already.
    public static let topicAlreadyExists = ErrorCode(rawValue: 36)
    /// A topic can't have so many partitions, or fewer than it has.
    public static let invalidPartitions = ErrorCode(rawValue: 37)
    /// There aren't as many brokers as replicas are wanted.
    public static let invalidReplicationFactor = ErrorCode(rawValue: 38)
    /// A partition's replicas can't be placed so.
    public static let invalidReplicaAssignment = ErrorCode(rawValue: 39)
    /// A setting has no such name or value; from this client, also a file that can't be used.
    public static let invalidConfig = ErrorCode(rawValue: 40)
    /// The broker that was asked isn't the controller any more.
    public static let notController = ErrorCode(rawValue: 41)
    /// The broker can't make sense of the request.
    public static let invalidRequest = ErrorCode(rawValue: 42)
    /// The topic's message format is too old for what the request wants.
    public static let unsupportedForMessageFormat = ErrorCode(rawValue: 43)
    /// The cluster's own policy forbids it, such as its `create.topic.policy.class.name`.
    public static let policyViolation = ErrorCode(rawValue: 44)
    /// A producer's batch came to the leader before one that precedes it (KIP-98).
    public static let outOfOrderSequenceNumber = ErrorCode(rawValue: 45)
    /// A producer's batch is in the log already (KIP-98).
    public static let duplicateSequenceNumber = ErrorCode(rawValue: 46)
    /// The producer's epoch is older than the last one: it has a successor, or its transaction took too long.
    public static let invalidProducerEpoch = ErrorCode(rawValue: 47)
    /// The transaction, or the producer, isn't in a state in which that can be done.
    public static let invalidTxnState = ErrorCode(rawValue: 48)
    /// The producer's id isn't the one of its transactional id any more (KIP-360).
    public static let invalidProducerIdMapping = ErrorCode(rawValue: 49)
    /// `transaction.timeout.ms` is more than the broker's `transaction.max.timeout.ms`.
    public static let invalidTransactionTimeout = ErrorCode(rawValue: 50)
    /// The coordinator is still ending the producer's transaction before.
    public static let concurrentTransactions = ErrorCode(rawValue: 51)
    /// A transaction's marker came from a coordinator that has a successor; between brokers.
    public static let transactionCoordinatorFenced = ErrorCode(rawValue: 52)
    /// The user may not use the transactional id.
    public static let transactionalIdAuthorizationFailed = ErrorCode(rawValue: 53)
    /// The brokers have no authorizer, and so no access rules.
    public static let securityDisabled = ErrorCode(rawValue: 54)
    /// It wasn't tried, as something else of the request failed; from this client, a record of an aborted transaction.
    public static let operationNotAttempted = ErrorCode(rawValue: 55)
    /// The broker's disk failed.
    public static let kafkaStorageError = ErrorCode(rawValue: 56)
    /// The broker has no such log directory.
    public static let logDirNotFound = ErrorCode(rawValue: 57)
    /// The login was refused: see the broker's reason.
    public static let saslAuthenticationFailed = ErrorCode(rawValue: 58)
    /// The leader doesn't know the producer, whose records were all deleted (KIP-360).
    public static let unknownProducerId = ErrorCode(rawValue: 59)
    /// Some of the partitions are being moved already.
    public static let reassignmentInProgress = ErrorCode(rawValue: 60)
    /// The brokers have no delegation tokens (KIP-48).
    public static let delegationTokenAuthDisabled = ErrorCode(rawValue: 61)
    /// There is no such delegation token (KIP-48).
    public static let delegationTokenNotFound = ErrorCode(rawValue: 62)
    /// The delegation token is another user's (KIP-48).
    public static let delegationTokenOwnerMismatch = ErrorCode(rawValue: 63)
    /// Delegation tokens aren't asked for over such a connection (KIP-48).
    public static let delegationTokenRequestNotAllowed = ErrorCode(rawValue: 64)
    /// The user may not use the delegation token (KIP-48).
    public static let delegationTokenAuthorizationFailed = ErrorCode(rawValue: 65)
    /// The delegation token is over (KIP-48).
    public static let delegationTokenExpired = ErrorCode(rawValue: 66)
    /// The principal is of a kind that isn't supported.
    public static let invalidPrincipalType = ErrorCode(rawValue: 67)
    /// The group has members, and so can't be deleted (KIP-229).
    public static let nonEmptyGroup = ErrorCode(rawValue: 68)
    /// There is no such group, or none of that kind.
    public static let groupIdNotFound = ErrorCode(rawValue: 69)
    /// The broker has forgotten the fetch session (KIP-227); this client begins another.
    public static let fetchSessionIdNotFound = ErrorCode(rawValue: 70)
    /// A fetch session's requests came out of order (KIP-227); this client begins another.
    public static let invalidFetchSessionEpoch = ErrorCode(rawValue: 71)
    /// The leader has no listener of the kind that the client came by.
    public static let listenerNotFound = ErrorCode(rawValue: 72)
    /// The brokers have `delete.topic.enable=false`.
    public static let topicDeletionDisabled = ErrorCode(rawValue: 73)
    /// The client's leader epoch is older than the broker's (KIP-320).
    public static let fencedLeaderEpoch = ErrorCode(rawValue: 74)
    /// The client's leader epoch is newer than the broker's, which hasn't heard of it yet (KIP-320).
    public static let unknownLeaderEpoch = ErrorCode(rawValue: 75)
    /// A batch is compressed in a way that the other side, or this build of the client, doesn't have.
    public static let unsupportedCompressionType = ErrorCode(rawValue: 76)
    /// A broker's registration has a successor; between brokers.
    public static let staleBrokerEpoch = ErrorCode(rawValue: 77)
    /// A new leader doesn't know yet how far its replicas are (KIP-207).
    public static let offsetNotAvailable = ErrorCode(rawValue: 78)
    /// A member's first request to join has to be sent again with the id that it was given (KIP-394).
    public static let memberIdRequired = ErrorCode(rawValue: 79)
    /// The partition's preferred leader can't lead at the moment.
    public static let preferredLeaderNotAvailable = ErrorCode(rawValue: 80)
    /// The group has as many members as the broker's `group.max.size` allows (KIP-389).
    public static let groupMaxSizeReached = ErrorCode(rawValue: 81)
    /// Another member has come with the same `group.instance.id` (KIP-345).
    public static let fencedInstanceId = ErrorCode(rawValue: 82)
    /// None of the replicas that could lead is there (KIP-460).
    public static let eligibleLeadersNotAvailable = ErrorCode(rawValue: 83)
    /// The partition has the leader already that the election was to bring (KIP-460).
    public static let electionNotNeeded = ErrorCode(rawValue: 84)
    /// The partition isn't being moved (KIP-455).
    public static let noReassignmentInProgress = ErrorCode(rawValue: 85)
    /// The group's members read the topic, so its offsets can't be deleted (KIP-496).
    public static let groupSubscribedToTopic = ErrorCode(rawValue: 86)
    /// The broker refuses a record for what is in it, such as one without a key for a compacted topic (KIP-467).
    public static let invalidRecord = ErrorCode(rawValue: 87)
    /// A transaction that moves the offset isn't decided yet (KIP-447).
    public static let unstableOffsetCommit = ErrorCode(rawValue: 88)
    /// The user has changed topics or partitions too often for a quota (KIP-599).
    public static let throttlingQuotaExceeded = ErrorCode(rawValue: 89)
    /// Another producer has taken over the transactional id: this one can't go on (KIP-588).
    public static let producerFenced = ErrorCode(rawValue: 90)
    /// There is no such thing, such as a user's SCRAM password; from this client, a settings file that can't be read.
    public static let resourceNotFound = ErrorCode(rawValue: 91)
    /// Something is named twice in one request (KIP-554).
    public static let duplicateResource = ErrorCode(rawValue: 92)
    /// A SCRAM password's iterations or its user's name can't be (KIP-554).
    public static let unacceptableCredential = ErrorCode(rawValue: 93)
    /// Controllers don't agree on who votes; between controllers (KIP-595).
    public static let inconsistentVoterSet = ErrorCode(rawValue: 94)
    /// A change was made of an older state than the last; between brokers (KIP-497).
    public static let invalidUpdateVersion = ErrorCode(rawValue: 95)
    /// The cluster's features can't be set so (KIP-584).
    public static let featureUpdateFailed = ErrorCode(rawValue: 96)
    /// A broker can't read whose request another passes on; between brokers (KIP-590).
    public static let principalDeserializationFailure = ErrorCode(rawValue: 97)
    /// There is no such snapshot; between controllers (KIP-630).
    public static let snapshotNotFound = ErrorCode(rawValue: 98)
    /// A snapshot has no such position; between controllers (KIP-630).
    public static let positionOutOfRange = ErrorCode(rawValue: 99)
    /// The broker has no topic of this id, or none yet (KIP-516).
    public static let unknownTopicId = ErrorCode(rawValue: 100)
    /// A broker of this id is registered already; between brokers (KIP-631).
    public static let duplicateBrokerRegistration = ErrorCode(rawValue: 101)
    /// No broker of this id is registered; between brokers (KIP-631).
    public static let brokerIdNotRegistered = ErrorCode(rawValue: 102)
    /// The log on disk is of a topic of another id (KIP-516).
    public static let inconsistentTopicId = ErrorCode(rawValue: 103)
    /// The other side belongs to another cluster; between controllers.
    public static let inconsistentClusterId = ErrorCode(rawValue: 104)
    /// There is no such transactional id (KIP-664).
    public static let transactionalIdNotFound = ErrorCode(rawValue: 105)
    /// A fetch session mixes topics by name and by id (KIP-516); this client begins another.
    public static let fetchSessionTopicIdError = ErrorCode(rawValue: 106)
    /// A replica can't be among those in sync; between brokers.
    public static let ineligibleReplica = ErrorCode(rawValue: 107)
    /// The change of a partition has brought it a new leader; between brokers.
    public static let newLeaderElected = ErrorCode(rawValue: 108)
    /// The offset is in tiered storage, and not on the broker's disk any more (KIP-405).
    public static let offsetMovedToTieredStorage = ErrorCode(rawValue: 109)
    /// The member's epoch isn't the one that the coordinator knows: it was put out (KIP-848).
    public static let fencedMemberEpoch = ErrorCode(rawValue: 110)
    /// A member with the same `group.instance.id` is still there (KIP-848).
    public static let unreleasedInstanceId = ErrorCode(rawValue: 111)
    /// The coordinator doesn't have the assignor of `group.remote.assignor` (KIP-848).
    public static let unsupportedAssignor = ErrorCode(rawValue: 112)
    /// The member's epoch has a successor, of which it hasn't heard yet (KIP-848).
    public static let staleMemberEpoch = ErrorCode(rawValue: 113)
    /// The request is for a controller and came to a broker, or the reverse (KIP-919).
    public static let mismatchedEndpointType = ErrorCode(rawValue: 114)
    /// The other side doesn't know this kind of endpoint (KIP-919).
    public static let unsupportedEndpointType = ErrorCode(rawValue: 115)
    /// There is no controller of this id (KIP-919).
    public static let unknownControllerId = ErrorCode(rawValue: 116)
    /// A subscription to clients' metrics is another one now (KIP-714).
    public static let unknownSubscriptionId = ErrorCode(rawValue: 117)
    /// A client's metrics are larger than the broker takes (KIP-714).
    public static let telemetryTooLarge = ErrorCode(rawValue: 118)
    /// The controller refuses a broker's registration; between brokers.
    public static let invalidRegistration = ErrorCode(rawValue: 119)
    /// The transaction can't be committed; abort it, and run it again (KIP-890, KIP-1050).
    public static let transactionAbortable = ErrorCode(rawValue: 120)
    /// A record of a share group isn't in the state for that (KIP-932).
    public static let invalidRecordState = ErrorCode(rawValue: 121)
    /// There is no such share session (KIP-932).
    public static let shareSessionNotFound = ErrorCode(rawValue: 122)
    /// A share session's requests came out of order (KIP-932).
    public static let invalidShareSessionEpoch = ErrorCode(rawValue: 123)
    /// A share partition's state has a successor; between brokers (KIP-932).
    public static let fencedStateEpoch = ErrorCode(rawValue: 124)
    /// The voter isn't who its id stands for; between controllers (KIP-853).
    public static let invalidVoterKey = ErrorCode(rawValue: 125)
    /// The voter is one already (KIP-853).
    public static let duplicateVoter = ErrorCode(rawValue: 126)
    /// There is no such voter (KIP-853).
    public static let voterNotFound = ErrorCode(rawValue: 127)
    /// The broker can't read the pattern of a subscription, which is in RE2's syntax (KIP-848).
    public static let invalidRegularExpression = ErrorCode(rawValue: 128)
    /// The client is to forget what it knows of the cluster, and to ask the bootstrap servers again (KIP-1102).
    public static let rebootstrapRequired = ErrorCode(rawValue: 129)
    /// The topology of a Kafka Streams group can't be (KIP-1071).
    public static let streamsInvalidTopology = ErrorCode(rawValue: 130)
    /// The topology's epoch of a Kafka Streams group can't be (KIP-1071).
    public static let streamsInvalidTopologyEpoch = ErrorCode(rawValue: 131)
    /// The topology's epoch of a Kafka Streams group has a successor (KIP-1071).
    public static let streamsTopologyFenced = ErrorCode(rawValue: 132)
    /// The broker has as many share sessions as it allows (KIP-932).
    public static let shareSessionLimitReached = ErrorCode(rawValue: 133)

    /// A log was cut back below what was read of it (KIP-320). Brokers have no code for it; the number is librdkafka's.
    public static let logTruncation = ErrorCode(rawValue: -139)
}
