import KafkaWire

/// The topics that a mapping reads: those it names, and those that match its patterns.
public struct TopicSelection: Sendable {
    /// The topic names, sorted.
    public let names: [String]
    /// The routes with patterns.
    private let patterns: [Route]

    public init(_ routes: [Route]) {
        names = Set(routes.compactMap { if case .name(let name) = $0.topic { name } else { nil } }).sorted()
        patterns = routes.filter { if case .pattern = $0.topic { true } else { false } }
    }

    public var hasPatterns: Bool { !patterns.isEmpty }

    /// The names and patterns of the mapping, for messages.
    public var description: String {
        let texts = patterns.map { route -> String in
            if case .pattern(let text) = route.topic { text } else { "" }
        }
        return (names + texts).joined(separator: ", ")
    }

    /// The named topics, and the existing topics that match a pattern, sorted. Named topics need not exist.
    ///
    /// - Throws: `KafkaError`.
    public func resolve(_ client: KafkaClient) async throws -> [String] {
        guard hasPatterns else { return names }
        let existing = try await client.admin.listTopics().map(\.name)
        return Set(names + existing.filter { name in patterns.contains { $0.reads(topic: name) } }).sorted()
    }
}
