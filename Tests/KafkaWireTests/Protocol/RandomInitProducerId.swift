import KafkaWire

extension InitProducerIdRequest: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            transactionalId: random.value(version),
            transactionTimeoutMs: random.value(version),
            producerId: version >= 3 ? random.value(version) : -1,
            producerEpoch: version >= 3 ? random.value(version) : -1)
    }
}

extension InitProducerIdResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            throttleTimeMs: random.value(version),
            errorCode: random.value(version),
            producerId: random.value(version),
            producerEpoch: random.value(version))
    }
}
