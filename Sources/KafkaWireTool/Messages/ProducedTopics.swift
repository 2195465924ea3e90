import CommandLineSupport
import Concurrency
import KafkaWire

/// The topics named in a dump. Each is looked up when it first occurs.
final class ProducedTopics: Sendable {
    /// The time limit for a broker to create a topic.
    private static let creationLimit = Duration.seconds(5)

    private let client: KafkaClient
    private let producer: KafkaProducer
    private let known = Lock<Set<String>>([])

    init(client: KafkaClient, producer: KafkaProducer) {
        self.client = client
        self.producer = producer
    }

    /// Makes sure that a topic exists.
    ///
    /// - Throws: A failure if the name is invalid, and the errors of `describe`.
    func require(_ topic: String) async throws {
        guard !known.withLock({ $0.contains(topic) }) else { return }
        try TopicArguments.check(topic)
        _ = try await Self.describe(topic, client, producer)
        known.withLock { _ = $0.insert(topic) }
    }

    /// Finds a topic. As with kcat, the broker creates a missing one if its `auto.create.topics.enable` and the client's
    /// `allow.auto.create.topics` permit that.
    static func describe(
        _ topic: String, _ client: KafkaClient, _ producer: KafkaProducer
    ) async throws -> TopicDescription {
        do {
            return try await client.admin.describe(topics: [topic])[0]
        } catch let error as KafkaError where error.code == .unknownTopicOrPartition {
            guard client.configuration.producer.allowsTopicCreation else { throw error }
        }
        let missing = Failure(
            "the topic \(topic) does not exist, and the broker has not created it within "
                + "\(DurationText.format(creationLimit)): it may not permit that (auto.create.topics.enable)",
            status: .configuration, hint: Failure.missingTopicHint(topic))
        try await withDeadline(creationLimit, failure: missing) { try await producer.ready(for: topic) }
        return try await client.admin.describe(topics: [topic])[0]
    }
}
