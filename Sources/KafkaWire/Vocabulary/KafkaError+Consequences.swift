// What an error means for the code that gets it.
extension KafkaError {
    /// Whether the coordinator takes nothing from this member any more.
    var meansLostMembership: Bool {
        switch code {
        case .illegalGeneration, .unknownMemberId, .fencedInstanceId, .fencedMemberEpoch: true
        default: false
        }
    }

    /// The same error, marked as retriable.
    var passing: KafkaError {
        KafkaError(
            code, message, isFromBroker: isFromBroker, isRetriable: true, topic: topic, partition: partition,
            offset: offset)
    }

    /// Whether a transactional producer has to end with this error of a partition's leader; after others the
    /// transaction can be aborted, and the next one begun.
    ///
    /// Sources: KIP-588, KIP-890, KIP-1050.
    var endsTransactionalProducer: Bool {
        switch code {
        case .producerFenced, .transactionalIdAuthorizationFailed, .clusterAuthorizationFailed, .unsupportedVersion,
            .unsupportedForMessageFormat, .invalidTransactionTimeout, .invalidConfig, .transactionCoordinatorFenced:
            true
        default: false
        }
    }

    /// Whether the transaction can be aborted after this error of a coordinator, and the next one begun. One that ran
    /// out of time is among them: what it asked for isn't known to have happened.
    var letsTransactionAbort: Bool {
        switch code {
        case .transactionAbortable, .topicAuthorizationFailed, .groupAuthorizationFailed, .fencedInstanceId,
            .unknownMemberId, .illegalGeneration, .staleMemberEpoch, .fencedMemberEpoch, .invalidProducerIdMapping,
            .unknownProducerId, .operationNotAttempted, .offsetMetadataTooLarge, .invalidTopicException,
            .inconsistentTopicId:
            true
        default: isRetriable
        }
    }

    /// The error as a coordinator means it: an epoch that isn't the last one belongs to a producer that has a successor.
    ///
    /// A partition's leader may send INVALID_PRODUCER_EPOCH as well, when the coordinator has aborted a transaction that
    /// took too long; that one leaves an abort to find out (KIP-588).
    var fromCoordinator: KafkaError {
        guard code == .invalidProducerEpoch || code == .producerFenced else { return self }
        return KafkaError(
            .producerFenced,
            "another producer has taken over the transactional id, or the transaction took longer than "
                + "transaction.timeout.ms: make another producer",
            isFromBroker: true)
    }

    /// Whether the error leaves open if a batch was written: there was no answer, or one that a leader also gives when
    /// it has written the batch and waits for its replicas.
    var leavesOpenWhetherWritten: Bool {
        guard isFromBroker else { return true }
        switch code {
        case .unknownServerError: return true
        case .notEnoughReplicas, .corruptMessage, .concurrentTransactions, .coordinatorLoadInProgress: return false
        default: return code.isRetriable
        }
    }

    /// Whether an error of a connection, which no retry cures, concerns the client as a whole: a refused login, a listener
    /// of another protocol, a closed client.
    var concernsClient: Bool {
        guard !isRetriable else { return false }
        switch code {
        case .networkException, .saslAuthenticationFailed, .unsupportedSaslMechanism, .illegalSaslState,
            .securityDisabled:
            return true
        default: return false
        }
    }

    /// What a broker said of a topic in its metadata.
    static func ofTopic(_ code: ErrorCode, _ name: String) -> KafkaError {
        let message =
            code == .unknownTopicOrPartition
            ? "the topic \(name) does not exist" : "the topic \(name) can't be used at the moment"
        return KafkaError(code, message, isFromBroker: true, topic: name)
    }

    /// Whether the cluster may look different from what is known of it.
    var meansStaleMetadata: Bool {
        switch code {
        case .notLeaderOrFollower, .unknownTopicOrPartition, .unknownTopicId, .inconsistentTopicId,
            .leaderNotAvailable, .fencedLeaderEpoch, .unknownLeaderEpoch, .replicaNotAvailable, .kafkaStorageError,
            .networkException, .brokerNotAvailable, .requestTimedOut, .notController, .offsetNotAvailable:
            true
        default: false
        }
    }
}
