import KafkaWire

extension DescribeUserScramCredentialsRequest: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            users: random.value(version))
    }
}

extension DescribeUserScramCredentialsRequest.User: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            name: random.value(version))
    }
}

extension DescribeUserScramCredentialsResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            throttleTimeMs: random.value(version),
            errorCode: random.value(version),
            errorMessage: random.value(version),
            results: random.value(version))
    }
}

extension DescribeUserScramCredentialsResponse.Result: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            user: random.value(version),
            errorCode: random.value(version),
            errorMessage: random.value(version),
            credentialInfos: random.value(version))
    }
}

extension DescribeUserScramCredentialsResponse.Credential: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            mechanism: random.value(version),
            iterations: random.value(version))
    }
}
