import KafkaWire
import TestSupport
import Testing

extension RealKafka {
    /// Version negotiation: for each API the highest version that client and broker support.
    @Suite(needsKafka) struct Negotiation {
        /// The version ranges that Kafka's own tool prints, by API key.
        private func rangesReportedByJava(_ fixture: TopicFixture) async throws -> [Int16: ClosedRange<Int16>] {
            var ranges: [Int16: ClosedRange<Int16>] = [:]
            for line in try await fixture.tool("api-versions", []).split(separator: "\n") {
                guard let match = line.firstMatch(of: /\w+\((\d+)\): (\d+)(?: to (\d+))? \[/),
                    let key = Int16(match.1), let lowest = Int16(match.2)
                else { continue }
                ranges[key] = lowest...(match.3.flatMap { Int16($0) } ?? lowest)
            }
            return ranges
        }

        private func expect<R: KafkaRequest>(
            _ type: R.Type, _ ranges: [Int16: ClosedRange<Int16>], _ connection: NegotiatedConnection
        ) throws {
            let broker = try #require(ranges[R.apiKey.rawValue], "\(R.apiKey.name)")
            let chosen = try connection.version(for: type)
            #expect(chosen == min(broker.upperBound, R.versions.upperBound), "\(R.apiKey.name)")
            #expect(broker.contains(chosen), "\(R.apiKey.name)")
        }

        @Test(arguments: KafkaHome.all) func highestVersionOfBoth(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, partitions: 0)
            let ranges = try await rangesReportedByJava(fixture)
            let connection = try await fixture.client.cluster.anyConnection()
            try expect(ProduceRequest.self, ranges, connection)
            try expect(FetchRequest.self, ranges, connection)
            try expect(ListOffsetsRequest.self, ranges, connection)
            try expect(MetadataRequest.self, ranges, connection)
            try expect(ApiVersionsRequest.self, ranges, connection)
            try expect(CreateTopicsRequest.self, ranges, connection)
            try expect(DeleteTopicsRequest.self, ranges, connection)
            try expect(InitProducerIdRequest.self, ranges, connection)
            try expect(FindCoordinatorRequest.self, ranges, connection)
            try expect(OffsetCommitRequest.self, ranges, connection)
            try expect(OffsetFetchRequest.self, ranges, connection)
        }

        /// Fetches use topic ids with every version, produce requests only with Kafka 4.
        @Test(arguments: KafkaHome.all) func fetchUsesTopicIDs(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, partitions: 0)
            let connection = try await fixture.client.cluster.anyConnection()
            #expect(try connection.version(for: FetchRequest.self) >= 13)
            #expect(try connection.version(for: ProduceRequest.self) == (home.version.hasPrefix("3.") ? 11 : 13))
        }

        @Test(arguments: KafkaHome.all) func clusterIDAndBrokers(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home)
            _ = try await fixture.client.admin.describe(topics: [fixture.topic])
            #expect(await fixture.client.cluster.clusterID?.count == 22)
            let brokers = await fixture.client.cluster.brokers
            #expect(brokers.map { "\($0.value)" } == [fixture.cluster.bootstrap])
        }
    }
}
