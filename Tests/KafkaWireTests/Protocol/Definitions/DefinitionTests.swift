import KafkaWire
import Testing

/// Compares every message with Kafka's own definition, field by field and version by version.
@Suite(
    "Kafka's own message definitions",
    .enabled(
        if: KafkaDefinitions.archive != nil,
        "neither KAFKA_HOME nor KAFKA_HOMES names a Kafka installation with libs/kafka-clients-*.jar, which has the definitions"
    ))
struct DefinitionTests {
    @Test("Key, versions and flexible versions", arguments: SupportedMessage.all)
    func header(_ message: SupportedMessage) async throws {
        let definition = try await KafkaDefinitions.message(message.name)
        #expect(Int(message.apiKey.rawValue) == definition.apiKey)
        #expect(Int(message.firstFlexibleVersion) == definition.firstFlexibleVersion)
        if KafkaDefinitions.isCurrent {
            let stable = definition.validVersions.upperBound - (definition.isLatestVersionUnstable ? 1 : 0)
            #expect(Int(message.versions.lowerBound) >= definition.validVersions.lowerBound)
            #expect(Int(message.versions.upperBound) <= stable)
        }
    }

    @Test("Each field, at each version, and from each version to each other version", arguments: SupportedMessage.all)
    func fields(_ message: SupportedMessage) async throws {
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
                            "\(message.name) decoded at version \(version) and encoded at \(other), seed \(seed)")
                    }
                }
            }
        }
        try check(message.type)
    }

    @Test("An empty message has the default values", arguments: SupportedMessage.all)
    func defaults(_ message: SupportedMessage) async throws {
        let definition = try await KafkaDefinitions.message(message.name)
        func check<Message: WireMessage>(_ type: Message.Type) throws {
            for version in message.versions where definition.validVersions.contains(Int(version)) {
                let value = FieldValue.structure(
                    Dictionary(uniqueKeysWithValues: definition.fields.map { ($0.name, $0.defaultValue) }))
                guard let bytes = try? DefinitionEncoder.encode(value, by: definition, version: Int(version)) else {
                    continue  // the version can't encode a field's default
                }
                let decoded = try message.decoded(type, bytes, version: version)
                try compare(decoded, value, definition, message, "version \(version)")
                #expect(try message.encoded(decoded, version: version) == bytes)
            }
        }
        try check(message.type)
    }

    private func compare(
        _ decoded: some WireMessage, _ value: FieldValue, _ definition: MessageDefinition, _ message: SupportedMessage,
        _ place: Comment
    ) throws {
        let comparison = FieldComparison(
            versions: Int(message.versions.lowerBound)...Int(message.versions.upperBound),
            isComplete: KafkaDefinitions.isCurrent)
        guard case .structure(var properties) = try FieldValue(reflecting: decoded) else { return }
        // The only property whose name differs from the field's.
        if let apis = properties.removeValue(forKey: "apis") { properties["apikeys"] = apis }
        let difference = comparison.difference(.structure(properties), value, definition.fields)
        try #require(difference == nil, place)
    }
}
