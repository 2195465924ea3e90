import KafkaWire
import TestSupport
import Testing

extension RealKafka {
    /// Java's client, librdkafka and this client each write records of every shape and read all of them.
    @Suite(needsKafka, needsLibrdkafka, needsLongTests) struct BothWays {
        static let codecs = ["none", "gzip", "snappy", "lz4", "zstd"]

        /// With and without transactions. Only `read_committed` omits the aborted transaction.
        @Test(arguments: KafkaHome.all, codecs) func everyShape(_ home: KafkaHome, _ codec: String) async throws {
            let fixture = try await TopicFixture(home, partitions: 2)
            var peers: [Peer.Implementation: Peer] = [:]
            for implementation in Peer.Implementation.allCases {
                peers[implementation] = try await Peer(implementation, fixture.cluster)
            }
            var committed: [Peer.Record] = []
            var all: [Peer.Record] = []
            for (step, end) in ([nil, .abort, .commit] as [Peer.End?]).enumerated() {
                for (writer, name) in (["KafkaWire"] + Peer.Implementation.allCases.map(\.rawValue)).enumerated() {
                    let records = Self.shapes(seed: UInt64(step * 10 + writer))
                    if let peer = Peer.Implementation(rawValue: name).flatMap({ peers[$0] }) {
                        try await peer.produce(records, to: fixture.topic, codec: codec, end: end)
                    } else {
                        try await fixture.produce(records, codec: codec, end: end)
                    }
                    all += records
                    if end != .abort { committed += records }
                }
            }
            for (isolation, expected) in [("read_committed", committed), ("read_uncommitted", all)] {
                let ours = try await fixture.consume(isolation: isolation)
                #expect(Self.inOrder(ours, offsets: false) == Self.inOrder(expected, offsets: false))
                for (implementation, peer) in peers {
                    let theirs = try await peer.consume(fixture.topic, isolation: isolation)
                    #expect(
                        Self.inOrder(theirs, offsets: true) == Self.inOrder(ours, offsets: true),
                        "\(implementation) \(isolation)")
                }
            }
        }

        /// Combines each kind of key with each kind of value and each kind of headers.
        static func shapes(seed: UInt64) -> [Peer.Record] {
            var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
            let noise = (0..<4000).map { _ -> UInt8 in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return UInt8(truncatingIfNeeded: state >> 33)
            }
            let keys: [[UInt8]?] = [nil, [], Array("key \(seed)".utf8), Array(noise.prefix(300))]
            let values: [[UInt8]?] = [
                nil, [], Array("värde".utf8), noise, Array(repeating: UInt8(ascii: "a"), count: 20_000),
            ]
            let headers: [[[String?]]] = [
                [], [["origin", "00ff"]], [["null", nil], ["empty", ""], ["null", "01"], ["äöü", "02"]],
            ]
            var records: [Peer.Record] = []
            for key in keys {
                for value in values {
                    for header in headers {
                        records.append(
                            Peer.Record(
                                partition: Int32(records.count % 2),
                                timestamp: 1_700_000_000_000 + Int64(seed) * 1000 - Int64(records.count) * 7,
                                key: key.map(hexadecimal), value: value.map(hexadecimal), headers: header))
                    }
                }
            }
            return records
        }

        /// Each partition's records in order, without fields that should not be compared.
        private static func inOrder(_ records: [Peer.Record], offsets: Bool) -> [Int32: [Peer.Record]] {
            Dictionary(grouping: records, by: \.partition).mapValues { records in
                records.map { record in
                    var record = record
                    if !offsets { record.offset = nil }
                    return record
                }
            }
        }
    }
}

extension TopicFixture {
    fileprivate func produce(_ records: [Peer.Record], codec: String, end: Peer.End?) async throws {
        var properties = ["compression.type": codec, "linger.ms": "20"]
        if end != nil { properties["transactional.id"] = "\(topic)-KafkaWire" }
        let producer = try client(properties).producer()
        if end != nil {
            try await producer.initTransactions()
            try await producer.beginTransaction()
        }
        var deliveries: [Delivery] = []
        for record in records {
            deliveries.append(
                try await producer.enqueue(
                    ProducerRecord(
                        topic: topic, partition: record.partition, key: try record.key.map(bytes),
                        value: try record.value.map(bytes),
                        headers: try record.headers.map { RecordHeader(try #require($0[0]), try $0[1].map(bytes)) },
                        timestamp: KafkaTimestamp(millisecondsSince1970: record.timestamp))))
        }
        for delivery in deliveries { _ = try await delivery.metadata }
        switch end {
        case .commit: try await producer.commitTransaction()
        case .abort: try await producer.abortTransaction()
        case nil: break
        }
        await producer.close()
    }

    fileprivate func consume(isolation: String) async throws -> [Peer.Record] {
        let client = try client(["isolation.level": isolation])
        let partitions = [partition(0), partition(1)]
        var reading = await client.read(Dictionary(uniqueKeysWithValues: partitions.map { ($0, .earliest) }))
        return try await reading.recordsToTheEnd(of: partitions, client: client).map { record in
            Peer.Record(
                partition: record.partition, offset: record.offset,
                timestamp: record.timestamp.millisecondsSince1970,
                key: record.key.map(hexadecimal), value: record.value.map(hexadecimal),
                headers: record.headers.map { [$0.name, $0.value.map(hexadecimal)] })
        }
    }
}

private func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

private func bytes(_ hexadecimal: String) throws -> [UInt8] {
    let digits = Array(hexadecimal)
    return try stride(from: 0, to: digits.count, by: 2).map {
        try #require(UInt8(String(digits[$0..<min($0 + 2, digits.count)]), radix: 16))
    }
}
