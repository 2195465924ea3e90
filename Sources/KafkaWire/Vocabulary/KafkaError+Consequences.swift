// What an error means for the code that gets it.
extension KafkaError {
    /// The same error, with what it means for a transactional producer: it ends the producer, or the transaction.
    func inTransaction(isFatal: Bool) -> KafkaError {
        var error = self
        error.isFatal = isFatal
        error.requiresAbort = !isFatal
        return error
    }

    /// Whether the coordinator accepts no more requests of this member.
    var meansLostMembership: Bool {
        switch code {
        case .illegalGeneration, .unknownMemberId, .fencedInstanceId, .fencedMemberEpoch: true
        default: false
        }
    }

    /// The same error, marked as retriable because the client knows that the condition passes.
    var passing: KafkaError {
        KafkaError(
            code, message, isFromBroker: isFromBroker, isRetriable: true, topic: topic, partition: partition,
            offset: offset)
    }

    /// Whether this error of a partition's leader ends a transactional producer. After any other error the transaction
    /// can be aborted and the next one begun.
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

    /// Whether the transaction can be aborted after this error of a coordinator, and the next one begun. A timeout counts,
    /// since it is unknown whether the request took effect.
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

    /// The error as a coordinator means it: an outdated epoch belongs to a producer that has a successor.
    ///
    /// A partition's leader may also send INVALID_PRODUCER_EPOCH when the coordinator has aborted a transaction that took
    /// too long. In that case, aborting shows whether the producer can continue (KIP-588).
    var fromCoordinator: KafkaError {
        guard code == .invalidProducerEpoch || code == .producerFenced else { return self }
        return KafkaError(
            .producerFenced,
            "another producer has taken over the transactional id, or the transaction took longer than "
                + "transaction.timeout.ms: create another producer",
            isFromBroker: true)
    }

    /// Whether it is unknown if the batch was written: there was no response, or one that a leader also sends after it has
    /// written the batch and waits for its replicas.
    var leavesOpenWhetherWritten: Bool {
        guard isFromBroker else { return true }
        switch code {
        case .unknownServerError: return true
        case .notEnoughReplicas, .corruptMessage, .concurrentTransactions, .coordinatorLoadInProgress: return false
        default: return code.isRetriable
        }
    }

    /// Whether a permanent error of a connection concerns the whole client: a refused login, a listener of another
    /// protocol, a closed client.
    var concernsClient: Bool {
        guard !isRetriable else { return false }
        switch code {
        case .networkException, .saslAuthenticationFailed, .unsupportedSaslMechanism, .illegalSaslState,
            .securityDisabled:
            return true
        default: return false
        }
    }

    /// The error for a topic whose metadata has an error code.
    static func ofTopic(_ code: ErrorCode, _ name: String) -> KafkaError {
        let message =
            code == .unknownTopicOrPartition
            ? "the topic \(name) does not exist; create it with kafkawire topics create \(name), or check the name"
            : "the topic \(name) is not available at the moment"
        return KafkaError(code, message, isFromBroker: true, topic: name)
    }

    /// Whether the error means that the cached metadata may be outdated.
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
