import KafkaWire

/// One request in progress, with what its API needs from the broker that read it.
///
/// Each API is an extension in its own file.
struct APICall {
    /// The node id of the broker.
    let node: Int32
    let version: Int16
    let clientID: String?
    let state: Monitor<ClusterState>
    /// The error that a test injected into the whole request.
    let refusal: Refusal?
    let versions: SpokenVersions
    /// The number of partitions of a topic whose creator gives none (`num.partitions`).
    let defaultPartitions: Int
    let isStopping: () -> Bool

    /// The error that a test injected into this partition, or into the whole request.
    func refusal(_ api: APIKey, _ partition: TopicPartition, _ state: inout ClusterState) -> Refusal? {
        refusal ?? Refusal(state.faults.take(api, node: node, partition))
    }
}

/// The outcome of a request, with the answer encoded.
enum Outcome {
    case answer([UInt8])
    /// The client requested no answer.
    case noAnswer
    case hangUp
}

/// The outcome of a request.
enum Reply<Response> {
    case response(Response)
    /// The client requested no answer.
    case none
    case hangUp
}

/// An error that a test asked for.
struct Refusal {
    let code: ErrorCode
    /// Whether the request is carried out nevertheless.
    let isAfterwards: Bool

    init?(_ fault: Fault?) {
        switch fault {
        case .error(let code):
            self.code = code
            isAfterwards = false
        case .errorAfterwards(let code):
            self.code = code
            isAfterwards = true
        default: return nil
        }
    }
}
