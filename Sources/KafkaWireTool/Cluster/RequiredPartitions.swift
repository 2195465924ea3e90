import CommandLineSupport
import KafkaWire

extension TopicDescription {
    /// Checks that the topic has a partition.
    ///
    /// - Throws: A failure of status `configuration` if it does not.
    func require(_ partition: Int32) throws(Failure) {
        guard partitions.contains(where: { $0.partition == partition }) else {
            throw Failure(
                "the topic \(name) has no partition \(partition): it has \(partitions.count)", status: .configuration)
        }
    }
}

extension KafkaAdmin {
    /// Checks that partitions exist. Call it before `listOffsets`, which waits for missing partitions in case they are
    /// just being created.
    ///
    /// - Throws: An error for the first topic or partition that does not exist.
    func requireExisting(_ partitions: some Sequence<TopicPartition>) async throws {
        let wanted = Set(partitions).sorted()
        guard !wanted.isEmpty else { return }
        let topics = try await describe(topics: Set(wanted.map(\.topic)).sorted())
        for topic in topics {
            for partition in wanted where partition.topic == topic.name { try topic.require(partition.partition) }
        }
    }
}
