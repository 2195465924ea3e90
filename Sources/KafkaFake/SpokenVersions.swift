import KafkaWire

/// Which versions of the APIs a fake cluster speaks, and how it meets a client that doesn't know.
public struct SpokenVersions: Sendable {
    /// What happens to a client that asks for a version of ApiVersions that isn't spoken.
    public enum Refusal: Sendable {
        /// UNSUPPORTED_VERSION with the range of ApiVersions, as from Kafka 2.4 on (KIP-511).
        case withRange
        /// UNSUPPORTED_VERSION alone, as before.
        case withoutRange
        /// The broker hangs up, as some that aren't Kafka do.
        case hangUp
    }

    var ranges: [APIKey: ClosedRange<Int16>]
    var refusal: Refusal

    /// All that KafkaWire's protocol layer can read and write: about Kafka 4.
    public static let latest = SpokenVersions(
        ranges: [
            .produce: ProduceRequest.versions, .fetch: FetchRequest.versions,
            .listOffsets: ListOffsetsRequest.versions, .metadata: MetadataRequest.versions,
            .offsetCommit: OffsetCommitRequest.versions, .offsetFetch: OffsetFetchRequest.versions,
            .findCoordinator: FindCoordinatorRequest.versions, .apiVersions: ApiVersionsRequest.versions,
            .createTopics: CreateTopicsRequest.versions, .deleteTopics: DeleteTopicsRequest.versions,
            .initProducerID: InitProducerIdRequest.versions,
        ], refusal: .withRange)

    /// As Kafka 2.1 has them: no topic ids, no flexible versions.
    public static let kafka21 = SpokenVersions(
        ranges: [
            .produce: 3...7, .fetch: 4...10, .listOffsets: 1...4, .metadata: 0...7, .offsetCommit: 2...6,
            .offsetFetch: 1...5, .findCoordinator: 0...2, .apiVersions: 0...2, .createTopics: 2...3,
            .deleteTopics: 1...3, .initProducerID: 0...1,
        ], refusal: .withoutRange)

    /// The same with one API at other versions; none at all where `versions` is nil.
    ///
    /// Beyond what KafkaWire can read a version is only announced: a request in it ends the connection.
    public func with(_ api: FakeAPI, _ versions: ClosedRange<Int16>?) -> SpokenVersions {
        var copy = self
        if let key = APIKey(rawValue: api.rawValue) { copy.ranges[key] = versions }
        return copy
    }

    /// The same with another way to meet an unknown version of ApiVersions.
    public func refusing(_ refusal: Refusal) -> SpokenVersions {
        var copy = self
        copy.refusal = refusal
        return copy
    }

    var announced: [ApiVersionsResponse.API] {
        ranges.sorted { $0.key.rawValue < $1.key.rawValue }.map { key, range in
            ApiVersionsResponse.API(
                apiKey: key.rawValue, minVersion: range.lowerBound, maxVersion: range.upperBound)
        }
    }
}
