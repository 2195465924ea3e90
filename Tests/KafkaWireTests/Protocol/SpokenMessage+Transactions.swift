import KafkaWire

extension SupportedMessage {
    static let transactions = [
        pair(AddPartitionsToTxnRequest.self), pair(AddOffsetsToTxnRequest.self), pair(EndTxnRequest.self),
        pair(TxnOffsetCommitRequest.self),
    ].flatMap { $0 }
}
