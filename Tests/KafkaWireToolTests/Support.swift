import KafkaFake

/// Runs a test with a fake cluster, and closes the cluster afterwards.
///
/// - Parameter topics: The initial topics, with one partition each.
func withFake(topics: [String] = [], _ body: (FakeCluster) async throws -> Void) async throws {
    let fake = try FakeCluster()
    for topic in topics { fake.createTopic(topic) }
    do {
        try await body(fake)
    } catch {
        await fake.close()
        throw error
    }
    await fake.close()
}
