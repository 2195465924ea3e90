import KafkaWire
import Testing

/// Compares every message with Kafka's own definition of it, field by field and version by version.
@Suite(
    "Kafka's own message definitions",
    .enabled(
        if: KafkaDefinitions.archive != nil,
        "neither KAFKA_HOME nor KAFKA_HOMES names a Kafka installation with libs/kafka-clients-*.jar, which has the definitions in it"
    ))
struct DefinitionTests {
    @Test("Key, versions and flexible versions", arguments: SpokenMessage.all)
    func header(_ message: SpokenMessage) async throws {
        let definition = try await KafkaDefinitions.message(message.name)
        #expect(Int(message.apiKey.rawValue) == definition.apiKey)
        #expect(Int(message.firstFlexibleVersion) == definition.firstFlexibleVersion)
        if KafkaDefinitions.isCurrent {
            let stable = definition.validVersions.upperBound - (definition.isLatestVersionUnstable ? 1 : 0)
            #expect(Int(message.versions.lowerBound) >= definition.validVersions.lowerBound)
            #expect(Int(message.versions.upperBound) <= stable)
        }
    }

    @Test("Each field, at each version and from each version to each other", arguments: SpokenMessage.all)
    func fields(_ message: SpokenMessage) async throws {
        let definition = try await KafkaDefinitions.message(message.name)
        let versions = message.versions.filter { definition.validVersions.contains(Int($0)) }
        try #require(!versions.isEmpty)
        func check<Message: WireMessage>(_ type: Message.Type) throws {
            for version in versions {
                for seed in 0..<12 {
                    var random = RandomValues(seed: UInt64(seed))
                    let sent = try random.structure(definition.fields, version: Int(version))
                    let bytes = try DefinitionEncoder.encode(sent, by: definition, version: Int(version))
                    let decoded = try message.decoded(type, bytes, version: version)
                    try compare(decoded, sent, definition, message, "version \(version), seed \(seed)")
                    for other in versions {
                        let expected = try? DefinitionEncoder.encode(sent, by: definition, version: Int(other))
                        let written = try? message.encoded(decoded, version: other)
                        try #require(
                            written == expected,
                            "\(message.name) read at version \(version) and written at \(other), seed \(seed)")
                    }
                }
            }
        }
        try check(message.type)
    }

    @Test("A message without anything set has the defaults", arguments: SpokenMessage.all)
    func defaults(_ message: SpokenMessage) async throws {
        let definition = try await KafkaDefinitions.message(message.name)
        func check<Message: WireMessage>(_ type: Message.Type) throws {
            for version in message.versions where definition.validVersions.contains(Int(version)) {
                let value = FieldValue.structure(
                    Dictionary(uniqueKeysWithValues: definition.fields.map { ($0.name, $0.defaultValue) }))
                guard let bytes = try? DefinitionEncoder.encode(value, by: definition, version: Int(version)) else {
                    continue  // a field whose default the version can't express
                }
                let decoded = try message.decoded(type, bytes, version: version)
                try compare(decoded, value, definition, message, "version \(version)")
                #expect(try message.encoded(decoded, version: version) == bytes)
            }
        }
        try check(message.type)
    }

    private func compare(
        _ decoded: some WireMessage, _ value: FieldValue, _ definition: MessageDefinition, _ message: SpokenMessage,
        _ place: Comment
    ) throws {
        let comparison = FieldComparison(
            versions: Int(message.versions.lowerBound)...Int(message.versions.upperBound),
            isComplete: KafkaDefinitions.isCurrent)
        guard case .structure(var properties) = try FieldValue(reflecting: decoded) else { return }
        // The one property that isn't called as the field is.
        if let apis = properties.removeValue(forKey: "apis") { properties["apikeys"] = apis }
        let difference = comparison.difference(.structure(properties), value, definition.fields)
        try #require(difference == nil, place)
    }
}
