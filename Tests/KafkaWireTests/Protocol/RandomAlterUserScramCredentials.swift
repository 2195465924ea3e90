import KafkaWire

extension AlterUserScramCredentialsRequest: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            deletions: random.value(version),
            upsertions: random.value(version))
    }
}

extension AlterUserScramCredentialsRequest.Deletion: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            name: random.value(version),
            mechanism: random.value(version))
    }
}

extension AlterUserScramCredentialsRequest.Upsertion: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            name: random.value(version),
            mechanism: random.value(version),
            iterations: random.value(version),
            salt: random.value(version),
            saltedPassword: random.value(version))
    }
}

extension AlterUserScramCredentialsResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            throttleTimeMs: random.value(version),
            results: random.value(version))
    }
}

extension AlterUserScramCredentialsResponse.Result: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            user: random.value(version),
            errorCode: random.value(version),
            errorMessage: random.value(version))
    }
}
