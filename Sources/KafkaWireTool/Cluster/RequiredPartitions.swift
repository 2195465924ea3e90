import CommandLineSupport
import KafkaWire

extension TopicDescription {
    /// - Throws: A failure of status `configuration` where the topic has no such partition.
    func require(_ partition: Int32) throws(Failure) {
        guard partitions.contains(where: { $0.partition == partition }) else {
            throw Failure(
                "the topic \(name) has no partition \(partition): it has \(partitions.count)", status: .configuration)
        }
    }
}

extension KafkaAdmin {
    /// Sees to it that partitions exist before they are asked for offsets: to `listOffsets` one that doesn't may be about
    /// to come, and it waits.
    ///
    /// - Throws: What there is to say of the first topic or partition that doesn't exist.
    func requireExisting(_ partitions: some Sequence<TopicPartition>) async throws {
        let wanted = Set(partitions).sorted()
        guard !wanted.isEmpty else { return }
        let topics = try await describe(topics: Set(wanted.map(\.topic)).sorted())
        for topic in topics {
            for partition in wanted where partition.topic == topic.name { try topic.require(partition.partition) }
        }
    }
}
