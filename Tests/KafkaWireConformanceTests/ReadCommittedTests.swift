import TestSupport
import Testing

@testable import KafkaWire

extension RealKafka {
    /// `isolation.level=read_committed` with a log whose transactions are written request by request, so that the test
    /// knows each offset.
    @Suite(needsKafka) struct ReadCommitted {
        /// A transactional producer that sends single requests of the protocol, without automatic behaviour.
        private final class Writer {
            private let cluster: Cluster
            private let partition: TopicPartition
            private let id = uniqueName()
            private var producerID: Int64 = -1
            private var epoch: Int16 = -1
            private var sequence: Int32 = 0

            init(_ cluster: Cluster, _ partition: TopicPartition) async throws {
                self.cluster = cluster
                self.partition = partition
                let response = try await cluster.retrying(operation: "get a producer id") { [id] in
                    let answer = try await cluster.connection(to: .transaction(id)).call(
                        InitProducerIdRequest(transactionalId: id, transactionTimeoutMs: 60_000),
                        timeout: .seconds(30))
                    try Self.check(answer.errorCode)
                    return answer
                }
                producerID = response.producerId
                epoch = response.producerEpoch
            }

            private func coordinator() async throws -> NegotiatedConnection {
                try await cluster.connection(to: .transaction(id))
            }

            private static func check(_ code: Int16) throws {
                if code != 0 {
                    throw KafkaError(ErrorCode(rawValue: code), "the broker refused it", isFromBroker: true)
                }
            }

            func write(_ values: [String]) async throws {
                let topics = [AddPartitionsToTxnRequest.Topic(name: partition.topic, partitions: [partition.partition])]
                // The broker returns CONCURRENT_TRANSACTIONS until the previous transaction's markers are written.
                try await cluster.retrying(operation: "add a partition") { [cluster, id, producerID, epoch] in
                    let answer = try await cluster.connection(to: .transaction(id)).call(
                        AddPartitionsToTxnRequest(
                            v3AndBelowTransactionalId: id, v3AndBelowProducerId: producerID,
                            v3AndBelowProducerEpoch: epoch, v3AndBelowTopics: topics),
                        version: 3, timeout: .seconds(30), expectsResponse: true)
                    try Self.check(
                        answer?.resultsByTopicV3AndBelow.first?.resultsByPartition.first?.partitionErrorCode ?? 0)
                }
                var builder = RecordBatchBuilder(pool: BufferPool(limit: 0))
                for value in values { try builder.append(key: nil, value: Array(value.utf8), timestamp: 1000) }
                var batch = try builder.finish(compression: .gzip)
                let records = batch.stamp(
                    producerID: producerID, producerEpoch: epoch, baseSequence: sequence, isTransactional: true)
                sequence += Int32(values.count)
                let leader = try #require(await cluster.leader(of: partition))
                let answer = try await cluster.connection(to: leader.node, role: .produce).call(
                    ProduceRequest(
                        transactionalId: id, acks: -1, timeoutMs: 30_000,
                        topicData: [
                            .init(
                                name: partition.topic,
                                partitionData: [.init(index: partition.partition, records: records)])
                        ]), version: 11, timeout: .seconds(30), expectsResponse: true)
                try Self.check(answer?.responses.first?.partitionResponses.first?.errorCode ?? 0)
            }

            func end(isCommit: Bool) async throws {
                let answer = try await coordinator().call(
                    EndTxnRequest(
                        transactionalId: id, producerId: producerID, producerEpoch: epoch, committed: isCommit),
                    version: 4, timeout: .seconds(30), expectsResponse: true)
                try Self.check(answer?.errorCode ?? 0)
            }
        }

        @Test(.timeLimit(.minutes(3)), arguments: KafkaHome.all) func abortedAndOpenTransactions(_ home: KafkaHome)
            async throws
        {
            let fixture = try await TopicFixture(home, properties: ["isolation.level": "read_committed"])
            let partition = fixture.partition()
            let cluster = fixture.client.cluster
            let (one, two) = (try await Writer(cluster, partition), try await Writer(cluster, partition))
            try await one.write(["aborted 1", "aborted 2"])
            try await two.write(["committed 1"])
            try await one.write(["aborted 3"])
            try await fixture.produce(0..<1)
            try await one.end(isCommit: false)
            try await two.end(isCommit: true)
            try await one.write(["committed 2", "committed 3"])
            try await one.end(isCommit: true)
            try await two.write(["aborted 4"])
            try await two.end(isCommit: false)
            // From here on the transaction stays open.
            try await one.write(["open"])
            try await fixture.produce(1..<2)

            let committed = ["committed 1", "0", "committed 2", "committed 3"]
            var reading = await fixture.client.read([partition: .earliest])
            #expect(try await reading.records(4).map(\.text) == committed)
            while !reading.consumer.isCaughtUp {
                let text = try? await reading.batch(within: .milliseconds(200)).copies().map(\.text)
                #expect(text ?? [] == [])
            }
            let open = try #require(reading.consumer.positions[partition])
            #expect(reading.consumer.highWatermarks[partition] == open + 2)
            #expect(reading.consumer.lag == [partition: 0])
            let end = try await cluster.listOffsets([partition: .latest], isolation: .readCommitted)
            #expect(end[partition]?.offset == open)

            try await one.end(isCommit: true)
            #expect(try await reading.records(2).map(\.text) == ["open", "1"])

            // Reads with read_uncommitted, and then from every offset.
            var everything = await (try fixture.client([:])).read([partition: .earliest])
            let all = try await everything.records(10)
            let kept = all.filter { !$0.text.hasPrefix("aborted") }
            #expect(all.count == 10 && kept.count == 6)
            for offset in 0..<open {
                let consumer = fixture.client.consumer()
                await consumer.assign([partition: ConsumerStart(.offset(offset))])
                var iterator = consumer.records.makeAsyncIterator()
                var found: [Int64] = []
                while found.last != kept.last?.offset, let record = try await iterator.next() {
                    found.append(record.offset)
                }
                #expect(found == kept.map(\.offset).filter { $0 >= offset })
                await consumer.close()
            }
        }
    }
}
