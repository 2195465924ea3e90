// What the code in Services.md uses without declaring it.

private protocol Database: Sendable {
    func insert(_ records: [ConsumerRecord]) async throws
}
private struct InvalidOrder: Error {}
private var database: any Database { omitted() }
private func bill(_ record: ConsumerRecord) async throws {}
