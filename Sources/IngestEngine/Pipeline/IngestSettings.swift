import CommandLineSupport
import Concurrency
import KafkaWire
import PGWire

/// What all workers of a run have in common.
public struct IngestSettings: Sendable {
    /// Whether the workers are members of a group. If not, one worker reads all partitions.
    let isGroup: Bool
    let topics: TopicSelection
    let offsets: OffsetStore
    let partitionErrors: Mapping.PartitionErrors
    let limit: DeadLetterLimit
    let totals: IngestTotals
    let stop: StopSignal
    let observer: IngestObserver
    var timing = Timing()
    /// Binds the routes to the tables as they are now.
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

/// What each worker has of its own.
public struct IngestMember: Sendable {
    let client: KafkaClient
    let consumer: KafkaConsumer
    let database: Database
    /// Without a fingerprint, which each plan brings.
    let sink: Sink
    let observer: IngestObserver

    /// - Parameter schema: The schema of the program's own tables, as the catalog spells it.
    public init(
        client: KafkaClient, database: Database, offsets: OffsetStore, schema: String,
        observer: IngestObserver
    ) {
        self.client = client
        // From the start on a place in the log that isn't there is an error, not a reason to begin elsewhere.
        consumer = client.consumer(offsetReset: .fail)
        self.database = database
        sink = Sink(database: database, offsets: offsets, schema: schema)
        self.observer = observer
    }

    public func close() async { await database.close() }
}
