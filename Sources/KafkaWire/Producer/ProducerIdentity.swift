/// The producer id and epoch with which a producer numbers its batches (KIP-98). A broker refuses an earlier epoch.
struct ProducerIdentity: Hashable, Sendable {
    let id: Int64
    let epoch: Int16
}

extension ProducerIdentity {
    /// - Throws: UNKNOWN_SERVER_ERROR if the broker gave no usable id: batches would be sent without numbers.
    init(_ response: InitProducerIdResponse) throws(KafkaError) {
        guard response.producerId >= 0, response.producerEpoch >= 0 else {
            throw KafkaError(
                .unknownServerError,
                "the broker gave the producer id \(response.producerId) and epoch \(response.producerEpoch)",
                isFromBroker: true)
        }
        self.init(id: response.producerId, epoch: response.producerEpoch)
    }
}
