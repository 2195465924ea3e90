import KafkaWire

extension ApiVersionsRequest: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            clientSoftwareName: version >= 3 ? random.value(version) : "",
            clientSoftwareVersion: version >= 3 ? random.value(version) : "")
    }
}

extension ApiVersionsResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            errorCode: random.value(version), apis: random.value(version),
            throttleTimeMs: version >= 1 ? random.value(version) : 0,
            supportedFeatures: version >= 3 ? random.value(version) : [],
            finalizedFeaturesEpoch: version >= 3 ? random.value(version) : -1,
            finalizedFeatures: version >= 3 ? random.value(version) : [],
            zkMigrationReady: version >= 3 ? random.value(version) : false)
    }
}

extension ApiVersionsResponse.SupportedFeature: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            name: random.value(version), minVersion: random.value(version), maxVersion: random.value(version))
    }
}

extension ApiVersionsResponse.FinalizedFeature: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            name: random.value(version), maxVersionLevel: random.value(version),
            minVersionLevel: random.value(version))
    }
}

extension ApiVersionsResponse.API: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            apiKey: random.value(version), minVersion: random.value(version), maxVersion: random.value(version))
    }
}
