import CommandLineSupport
import Concurrency
import KafkaWire
import PGWire

/// Settings that all workers of a run share.
public struct IngestSettings: Sendable {
    /// Whether the workers are members of a group. If false, one worker reads all partitions.
    let isGroup: Bool
    let topics: TopicSelection
    let offsets: OffsetStore
    let partitionErrors: Mapping.PartitionErrors
    let limit: DeadLetterLimit
    let totals: IngestTotals
    let stop: StopSignal
    let observer: IngestObserver
    var timing = Timing()
    /// Binds the routes to the tables' current definitions.
    let bind: @Sendable (PostgresConnection) async throws -> IngestPlan

    public init(
        isGroup: Bool, topics: TopicSelection, offsets: OffsetStore, mapping: Mapping, totals: IngestTotals,
        stop: StopSignal, observer: IngestObserver,
        bind: @escaping @Sendable (PostgresConnection) async throws -> IngestPlan
    ) {
        self.isGroup = isGroup
        self.topics = topics
        self.offsets = offsets
        partitionErrors = mapping.partitionErrors
        limit = mapping.deadLetterLimit
        self.totals = totals
        self.stop = stop
        self.observer = observer
        self.bind = bind
    }
}

/// The resources of one worker.
public struct IngestMember: Sendable {
    let client: KafkaClient
    let consumer: KafkaConsumer
    let database: Database
    /// The sink without a table fingerprint, which comes with each plan.
    let sink: Sink
    let observer: IngestObserver

    /// - Parameter schema: The unquoted schema of the program's own tables.
    public init(
        client: KafkaClient, database: Database, offsets: OffsetStore, schema: String,
        observer: IngestObserver
    ) {
        self.client = client
        // After the start a missing position in the log is an error; reading must not start elsewhere.
        consumer = client.consumer(offsetReset: .fail)
        self.database = database
        sink = Sink(database: database, offsets: offsets, schema: schema)
        self.observer = observer
    }

    public func close() async { await database.close() }
}
