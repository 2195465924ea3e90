import CommandLineSupport
import Concurrency
import KafkaWire

/// Checks periodically for new partitions of the topics, and for new topics.
///
/// The interval is `metadata.max.age.ms`, but at most 30 s: messages in a new partition are late until it is found.
struct PartitionWatch: Sendable {
    private static let maximumInterval = Duration.seconds(30)

    let client: KafkaClient
    let topics: TopicSelection
    let observer: IngestObserver
    var timing = Timing()

    /// Checks until the task is cancelled. A failure is reported, and the next check repeats the lookup.
    ///
    /// - Parameters:
    ///   - known: The number of known partitions per topic.
    ///   - found: Called with the added partitions.
    func watch(_ known: [String: Int], _ found: (Set<TopicPartition>) async -> Void) async {
        let interval = max(min(client.configuration.maximumMetadataAge, Self.maximumInterval), .milliseconds(100))
        var known = known
        var missing: Set<String> = []
        var wait = Wait(nil, observer)
        while !Task.isCancelled {
            try? await timing.sleep(interval)
            var added: Set<TopicPartition> = []
            do {
                let outcomes = try await client.admin.describeTopics(try await topics.resolve(client))
                var failure: KafkaError?
                for (name, outcome) in outcomes.sorted(by: { $0.key < $1.key }) {
                    switch outcome {
                    case .success(let topic):
                        missing.remove(name)
                        added.formUnion(report(topic, &known))
                    case .failure(let error) where error.code == .unknownTopicOrPartition:
                        if missing.insert(name).inserted {
                            observer.log.warning("topic \(name) does not exist any more and is not read")
                        }
                    case .failure(let error): failure = failure ?? error
                    }
                }
                if let failure { throw failure }
                wait.succeeded("the partitions of topic \(topics.description) are known again")
            } catch {
                guard !Task.isCancelled else { return }
                wait.failed(
                    "\(error)", at: timing.now(),
                    "cannot check topic \(topics.description) for new partitions; retrying: \(error)")
            }
            if !added.isEmpty, !Task.isCancelled { await found(added) }
        }
    }

    private func report(_ topic: TopicDescription, _ known: inout [String: Int]) -> [TopicPartition] {
        let count = known[topic.name]
        if let count, topic.partitions.count <= count { return [] }
        known[topic.name] = topic.partitions.count
        if count == nil {
            observer.log.info("found the new topic \(topic.name), which is read from its beginning")
        } else {
            observer.log.info(
                "topic \(topic.name) now has \(topic.partitions.count) partitions; the added ones are read from their "
                    + "beginning")
        }
        return topic.partitions.map { TopicPartition(topic: topic.name, partition: $0.partition) }
            .filter { Int($0.partition) >= count ?? 0 }
    }
}
