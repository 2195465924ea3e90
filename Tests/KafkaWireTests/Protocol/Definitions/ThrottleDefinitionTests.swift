import Testing

@testable import KafkaWire

@Suite(
    "Throttling in Kafka's own message definitions",
    .enabled(if: KafkaDefinitions.archive != nil, "no Kafka installation with the message definitions was found"))
struct ThrottleDefinitionTests {
    @Test("the versions that clients throttle for match the definitions", arguments: SupportedMessage.all)
    func versions(_ message: SupportedMessage) async throws {
        // Kafka documents this only in the definitions' comments.
        let text = try await KafkaDefinitions.text(of: message.name).replacing(/\s*\n\s*\/\/ */, with: " ")
        guard let match = text.firstMatch(of: /[Ss]tarting in version (\d+),? on quota violation/) else { return }
        #expect(message.apiKey.firstVersionThrottledByClient == Int16(match.1))
    }
}
