import KafkaWire

/// One request that is being carried out, and what it needs to know of the broker that read it.
///
/// Each API is an extension in a file of its own.
struct APICall {
    /// The node id of the broker.
    let node: Int32
    let version: Int16
    let clientID: String?
    let state: Monitor<ClusterState>
    /// The error that the request as a whole was to meet.
    let refusal: Refusal?
    let versions: SpokenVersions
    /// How many partitions a topic gets whose creator doesn't say (`num.partitions`).
    let defaultPartitions: Int
    let isStopping: () -> Bool

    /// The error for one partition that was to meet one, or the whole request.
    func refusal(_ api: APIKey, _ partition: TopicPartition, _ state: inout ClusterState) -> Refusal? {
        refusal ?? Refusal(state.faults.take(api, node: node, partition))
    }
}

/// What a request comes to, as bytes.
enum Outcome {
    case answer([UInt8])
    /// The client asked for none.
    case noAnswer
    case hangUp
}

/// What a request comes to.
enum Reply<Response> {
    case response(Response)
    /// The client asked for none.
    case none
    case hangUp
}

/// An error that a test asked for.
struct Refusal {
    let code: ErrorCode
    /// Whether what was asked for is done all the same.
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
