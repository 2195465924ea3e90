import KafkaWire
import Testing

/// A user's test can construct every value that the library returns. This target sees the public interface alone.
@Suite struct ConstructionTests {
    private let partition = TopicPartition(topic: "orders", partition: 3)
    private let broker = BrokerAddress(host: "localhost", port: 9092)

    @Test func `a consumer record has its partition and the offset to commit`() {
        let record = ConsumerRecord(
            topic: "orders", partition: 3, offset: 41, timestamp: KafkaTimestamp(millisecondsSince1970: 5),
            leaderEpoch: 2, key: [1], value: nil, headers: [RecordHeader("trace", "a"), RecordHeader("none", nil)])
        #expect(record.topicPartition == partition)
        #expect(record.nextOffset == 42)
        #expect(record.nextOffsetAndMetadata == OffsetAndMetadata(42, leaderEpoch: 2))
        #expect(record.headers.map(\.value) == [Array("a".utf8), nil])
        // The last offset that the protocol has: no trap.
        #expect(ConsumerRecord(topic: "t", partition: 0, offset: .max, value: nil).nextOffset == .min)
    }

    @Test func `a batch has its partition and the offset to commit`() throws {
        let batch = try RecordBatch(
            topic: "orders", partition: 3, offset: 41, timestamp: KafkaTimestamp(millisecondsSince1970: 7), key: nil,
            value: [1], headers: [RecordHeader("h", "v")])
        #expect(batch.topicPartition == partition && batch.maxTimestamp.millisecondsSince1970 == 7)
        #expect(batch.nextOffsetAndMetadata == OffsetAndMetadata(42, leaderEpoch: batch.leaderEpoch))
        var records = batch.makeIterator()
        var copies: [ConsumerRecord] = []
        while let record = try records.next() {
            #expect(record.nextOffset == 42)
            copies.append(ConsumerRecord(record, of: batch))
        }
        #expect(copies.map(\.headers) == [[RecordHeader("h", "v")]])
        #expect(copies.map(\.timestamp.millisecondsSince1970) == [7])
    }

    @Test func `records to send are made of text or bytes, and are Hashable`() {
        let text = ProducerRecord(topic: "orders", key: "k", value: "v")
        let bytes = ProducerRecord(topic: "orders", key: Array("k".utf8), value: Array("v".utf8))
        #expect(text == bytes && Set([text, bytes]).count == 1)
        #expect(ProducerRecord(topic: "orders", key: "k", value: nil).value == nil)
        #expect(ProducerRecord(topic: "orders", value: nil).key == nil)
        #expect(ProducerRecord(topic: "orders", key: nil, value: nil) == ProducerRecord(topic: "orders", value: nil))
        #expect(ProducerRecord(topic: "orders", value: "v").key == nil)
        #expect(ProducerRecord(topic: "orders", value: "v", headers: [RecordHeader("h", "1")]) != text)
    }

    @Test func `a producer's results can be constructed`() {
        let metadata = RecordMetadata(topic: "orders", partition: 3, offset: 1)
        #expect(metadata.topicPartition == partition && !metadata.timestamp.isKnown)
        #expect(ProducerState(waitingRecords: 2).waitingRecords == 2)
        #expect(!CloseReport(errors: [KafkaError(.requestTimedOut, "late")], undeliveredRecords: 1).isComplete)
    }

    @Test func `errors and failures can be constructed`() {
        let error = KafkaError(
            .transactionAbortable, "try again", isFromBroker: true, topic: "orders", partition: 3)
        #expect(error.topicPartition == partition && error.requiresAbort && !error.isFatal)
        #expect(KafkaError(.producerFenced, "fenced", isFatal: true).isFatal)
        #expect(PartitionFailure(partition: partition, offset: 5, error: error).offset == 5)
        #expect(ValueInflater.Problem(reason: "no").reason == "no")
    }

    @Test func `descriptions of topics and clusters can be constructed`() {
        let description = TopicDescription(
            name: "orders", partitions: [PartitionDescription(partition: 0, leader: 1, replicas: [1, 2])])
        #expect(description.partitions[0].leaderEpoch == -1 && description.id == .zero)
        let cluster = ClusterDescription(
            clusterID: "c", controllerID: 1, brokers: [BrokerDescription(nodeID: 1, host: "a", port: 9092)])
        #expect(cluster.brokers.first?.isFenced == false)
        #expect(CreatedTopic(id: .zero, partitions: 3, replicationFactor: 1).partitions == 3)
        #expect(ListedOffset(offset: 4).leaderEpoch == -1)
    }

    @Test func `descriptions of groups can be constructed`() {
        let member = MemberDescription(memberID: "m", clientID: "c", clientHost: "/127.0.0.1", assignment: [partition])
        let group = GroupDescription(groupID: "g", state: .stable, members: [member], coordinator: broker)
        #expect(group.type == .classic && group.members == [member])
        let listing = GroupListing(groups: [ListedGroup(groupID: "g", state: .empty)])
        #expect(listing.groups.map(\.groupID) == ["g"] && listing.failures.isEmpty)
        #expect(ConsumerGroupMetadata(groupID: "g").generationID == -1)
    }

    @Test func `configs, ACLs and SCRAM credentials can be constructed`() {
        let entry = ConfigEntry(
            name: "retention.ms", value: "1", source: .topic,
            synonyms: [ConfigEntry.Synonym(name: "log.retention.ms", value: nil, source: .byDefault)])
        #expect(!entry.isDefault)
        let binding = AclBinding(.allow, "User:alice", .read, on: AclResource(.topic, "orders"))
        #expect(DeletedAclBinding(binding: binding).error == nil)
        #expect(ScramCredential(mechanism: .sha256, iterations: 4096).mechanism.description == "SCRAM-SHA-256")
    }

    @Test func `events can be constructed`() {
        let events: [any Hashable] = [
            ConnectEvent(clientID: "c", broker: broker, role: .fetch, duration: .zero, error: nil),
            DisconnectEvent(clientID: "c", broker: broker, role: .fetch, reason: .idle),
            RequestEvent(clientID: "c", broker: broker, role: .fetch, api: "Fetch", version: 12, byteCount: 1),
            ResponseEvent(
                clientID: "c", broker: broker, role: .fetch, api: "Fetch", version: 12, byteCount: 1, duration: .zero,
                error: nil),
            ThrottleEvent(
                clientID: "c", broker: broker, role: .fetch, api: "Fetch", duration: .zero, requested: .zero),
            RebalanceEvent(
                clientID: "c", groupID: "g", generationID: 1, change: .assigned, partitions: [partition]),
            RetryEvent(
                clientID: "c", operation: "connect", broker: broker, error: nil, failures: 1, elapsed: .zero, pause: nil
            ),
        ]
        #expect(events.count == 7)
    }
}
