import Concurrency

/// The result of a produce request.
struct ProduceResult: Sendable {
    let node: Int32
    /// The batches of the request, by their outcomes.
    let batches: [BatchOutcome]
    /// The topics' names, since a response has only their ids from version 13 on.
    let topicNames: [KafkaUUID: String]
    /// nil for a request without a response.
    let response: Result<ProduceResponse?, any Error>
}

/// The results that the sender has not handled yet, in the order in which the responses came. A task for each would lose
/// that order.
final class ProduceResponses: Sendable {
    /// Guards the results alone.
    private let results = Lock<[ProduceResult]>([])

    func append(_ result: ProduceResult) {
        results.withLock { $0.append(result) }
    }

    func takeAll() -> [ProduceResult] {
        results.withLock { results in
            defer { results = [] }
            return results
        }
    }
}
