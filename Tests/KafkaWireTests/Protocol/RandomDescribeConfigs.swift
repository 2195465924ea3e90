import KafkaWire

extension DescribeConfigsRequest: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            resources: random.value(version),
            includeSynonyms: random.value(version),
            includeDocumentation: version >= 3 ? random.value(version) : false)
    }
}

extension DescribeConfigsRequest.Resource: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            resourceType: random.value(version),
            resourceName: random.value(version),
            configurationKeys: random.value(version))
    }
}

extension DescribeConfigsResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            throttleTimeMs: random.value(version),
            results: random.value(version))
    }
}

extension DescribeConfigsResponse.Result: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            errorCode: random.value(version),
            errorMessage: random.value(version),
            resourceType: random.value(version),
            resourceName: random.value(version),
            configs: random.value(version))
    }
}

extension DescribeConfigsResponse.Config: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            name: random.value(version),
            value: random.value(version),
            readOnly: random.value(version),
            configSource: random.value(version),
            isSensitive: random.value(version),
            synonyms: random.value(version),
            configType: version >= 3 ? random.value(version) : 0,
            documentation: version >= 3 ? random.value(version) : "")
    }
}

extension DescribeConfigsResponse.Synonym: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            name: random.value(version),
            value: random.value(version),
            source: random.value(version))
    }
}
