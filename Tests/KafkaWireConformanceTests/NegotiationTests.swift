import KafkaWire
import TestSupport
import Testing

extension RealKafka {
    /// What is spoken with a broker: of each API the highest version that both know.
    @Suite(needsKafka) struct Negotiation {
        /// The ranges that Kafka's own tool is told, by API key.
        private func toldToJava(_ fixture: TopicFixture) async throws -> [Int16: ClosedRange<Int16>] {
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
            _ type: R.Type, _ told: [Int16: ClosedRange<Int16>], _ connection: NegotiatedConnection
        ) throws {
            let broker = try #require(told[R.apiKey.rawValue], "\(R.apiKey.name)")
            let chosen = try connection.version(for: type)
            #expect(chosen == min(broker.upperBound, R.versions.upperBound), "\(R.apiKey.name)")
            #expect(broker.contains(chosen), "\(R.apiKey.name)")
        }

        @Test(arguments: KafkaHome.all) func highestVersionOfBoth(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, partitions: 0)
            let told = try await toldToJava(fixture)
            let connection = try await fixture.client.cluster.anyConnection()
            try expect(ProduceRequest.self, told, connection)
            try expect(FetchRequest.self, told, connection)
            try expect(ListOffsetsRequest.self, told, connection)
            try expect(MetadataRequest.self, told, connection)
            try expect(ApiVersionsRequest.self, told, connection)
            try expect(CreateTopicsRequest.self, told, connection)
            try expect(DeleteTopicsRequest.self, told, connection)
            try expect(InitProducerIdRequest.self, told, connection)
            try expect(FindCoordinatorRequest.self, told, connection)
            try expect(OffsetCommitRequest.self, told, connection)
            try expect(OffsetFetchRequest.self, told, connection)
        }

        /// A broker of Kafka 4 has versions of its own that this client reads; one of 3.9 has none beyond.
        @Test(arguments: KafkaHome.all) func fetchKnowsTopicsByID(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, partitions: 0)
            let connection = try await fixture.client.cluster.anyConnection()
            #expect(try connection.version(for: FetchRequest.self) >= 13)
            #expect(try connection.version(for: ProduceRequest.self) == (home.version.hasPrefix("3.") ? 11 : 13))
        }

        @Test(arguments: KafkaHome.all) func clusterIsKnown(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home)
            _ = try await fixture.client.admin.describe(topics: [fixture.topic])
            #expect(await fixture.client.cluster.clusterID?.count == 22)
            let brokers = await fixture.client.cluster.brokers
            #expect(brokers.map { "\($0.value)" } == [fixture.cluster.bootstrap])
        }
    }
}
