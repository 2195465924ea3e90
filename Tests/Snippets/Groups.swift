// What the code in Groups.md uses without declaring it.

private protocol Cache: Sendable {
    func load(_ partitions: Set<TopicPartition>) async
    func save(_ partitions: Set<TopicPartition>) async
    func drop(_ partitions: Set<TopicPartition>) async
}
private var cache: any Cache { omitted() }
private func handle(_ batch: RecordBatch) async throws {}
