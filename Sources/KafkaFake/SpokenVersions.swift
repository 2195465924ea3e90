import KafkaWire

/// The API versions that a fake cluster supports, and its answer to an unsupported version of ApiVersions.
public struct SpokenVersions: Sendable {
    /// The answer to a client that asks for an unsupported version of ApiVersions.
    public enum Refusal: Sendable {
        /// UNSUPPORTED_VERSION with the range of ApiVersions, as in Kafka 2.4 and later (KIP-511).
        case withRange
        /// Only UNSUPPORTED_VERSION, as in earlier versions.
        case withoutRange
        /// The broker closes the connection, as some brokers other than Kafka do.
        case hangUp
    }

    var ranges: [APIKey: ClosedRange<Int16>]
    var refusal: Refusal
    /// Whether a partition has to be added to a transaction before it accepts the transaction's records, as in Kafka
    /// 3.6 and later (KIP-890).
    var verifiesTransactions = true
    /// Whether one coordinator serves both types of groups, as in Kafka 4 and later.
    var hasGroupVersion: Bool { features["group.version", default: 0] >= 1 }
    /// The finalized features of the cluster, with their levels (KIP-584).
    var features: [String: Int16] = [:]

    /// All versions that KafkaWire's protocol layer can read and write, as in Kafka 4.3.
    public static let latest = SpokenVersions(
        ranges: APIHandler.all.mapValues(\.versions).merging([.apiVersions: ApiVersionsRequest.versions]) { $1 },
        refusal: .withRange, features: ["transaction.version": 2, "group.version": 1])

    /// The versions of Kafka 3.9: transactions of version 1, and no KIP-848 groups.
    public static let kafka39: SpokenVersions = {
        var versions = latest
        let highest: [APIKey: Int16] = [
            .produce: 11, .fetch: 17, .listOffsets: 9, .metadata: 12, .offsetCommit: 9, .offsetFetch: 9,
            .describeGroups: 5, .endTxn: 4, .txnOffsetCommit: 4, .describeCluster: 1, .consumerGroupHeartbeat: 0,
            .consumerGroupDescribe: 0,
        ]
        for (api, limit) in highest {
            if let range = versions.ranges[api] { versions.ranges[api] = range.clamped(to: 0...limit) }
        }
        versions.features = [:]
        return versions
    }()

    /// The versions of Kafka 2.1: no topic ids, no flexible versions.
    public static let kafka21 = SpokenVersions(
        ranges: [
            .produce: 3...7, .fetch: 4...10, .listOffsets: 1...4, .metadata: 0...7, .offsetCommit: 2...6,
            .offsetFetch: 1...5, .findCoordinator: 0...2, .apiVersions: 0...2, .createTopics: 2...3,
            .deleteTopics: 1...3, .initProducerID: 0...1, .joinGroup: 0...3, .heartbeat: 0...2, .leaveGroup: 0...2,
            .syncGroup: 0...2, .describeGroups: 0...2, .listGroups: 0...2, .deleteRecords: 0...1,
            .offsetForLeaderEpoch: 2...2, .addPartitionsToTxn: 0...1, .addOffsetsToTxn: 0...1, .endTxn: 0...1,
            .txnOffsetCommit: 0...2, .describeConfigs: 1...2, .createPartitions: 0...1, .deleteGroups: 0...1,
        ], refusal: .withoutRange, verifiesTransactions: false)

    /// Returns a copy with other versions of one API; without the API if `versions` is nil.
    ///
    /// A version that KafkaWire cannot read is only announced: a request in that version ends the connection.
    public func with(_ api: APIKey, _ versions: ClosedRange<Int16>?) -> SpokenVersions {
        var copy = self
        copy.ranges[api] = versions
        return copy
    }

    /// Returns a copy with another answer to an unsupported version of ApiVersions.
    public func refusing(_ refusal: Refusal) -> SpokenVersions {
        var copy = self
        copy.refusal = refusal
        return copy
    }

    /// Returns a copy with another level of one feature; without the feature if `level` is nil.
    public func with(feature: String, _ level: Int16?) -> SpokenVersions {
        var copy = self
        copy.features[feature] = level
        return copy
    }

    var announcedFeatures: [ApiVersionsResponse.FinalizedFeature] {
        features.sorted { $0.key < $1.key }.map { name, level in
            ApiVersionsResponse.FinalizedFeature(name: name, maxVersionLevel: level, minVersionLevel: level)
        }
    }

    var announced: [ApiVersionsResponse.API] {
        ranges.sorted { $0.key.rawValue < $1.key.rawValue }.map { key, range in
            ApiVersionsResponse.API(
                apiKey: key.rawValue, minVersion: range.lowerBound, maxVersion: range.upperBound)
        }
    }
}
