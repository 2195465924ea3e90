import KafkaWire

extension SpokenMessage {
    static let transactions = [
        pair(AddPartitionsToTxnRequest.self), pair(AddOffsetsToTxnRequest.self), pair(EndTxnRequest.self),
        pair(TxnOffsetCommitRequest.self),
    ].flatMap { $0 }
}
