/// The settings of a producer, each with the name that Kafka has for it.
public struct ProducerConfiguration: Sendable {
    /// Which replicas must have a record before it counts as delivered (`acks`).
    ///
    /// Open: brokers decide which numbers they accept. A client accepts only those that are named here, others are
    /// INVALID_CONFIG.
    public struct Acks: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        /// The number in the protocol.
        public let rawValue: Int16

        /// Creates a value from its number in the protocol.
        public init(rawValue: Int16) { self.rawValue = rawValue }

        /// No replica: a record counts as delivered when it is written to the socket, and its offset is unknown.
        public static let none = Acks(rawValue: 0)
        /// The partition's leader.
        public static let leader = Acks(rawValue: 1)
        /// All in-sync replicas.
        public static let all = Acks(rawValue: -1)

        /// The value of the setting: `all`, or a number.
        public var description: String { self == .all ? "all" : "\(rawValue)" }
    }

    /// `acks`: when a record counts as delivered.
    public var acks = Acks.all
    /// `enable.idempotence`: whether batches have sequence numbers, by which a broker detects a batch that it has already.
    /// Requires `acks=all`.
    ///
    /// nil for true if `acks` is `all`, and false otherwise.
    public var idempotence: Bool?
    /// `batch.size`: the size at which a partition's batch is complete, in bytes.
    ///
    /// Larger than the Java client's 16 KiB, since the cost of a batch for brokers and readers does not depend on its size.
    public var batchSize = 128 << 10
    /// `linger.ms`: how long an incomplete batch waits for more records; at most half of `delivery.timeout.ms`.
    public var linger = Duration.milliseconds(5)
    /// `compression.type`: the codec for batches. UNSUPPORTED_COMPRESSION_TYPE if this build lacks it.
    public var compression = Compression.none
    /// `compression.gzip.level`: 1 (fastest) to 9 (smallest); nil, or -1 in text, for zlib's default (KIP-390).
    public var gzipLevel: Int?
    /// `compression.lz4.level`: 1 (fastest) to 17 (smallest); nil for the fast compressor (KIP-390).
    ///
    /// In liblz4 levels 1 and 2 equal the fast compressor, and all levels above 12 are alike.
    public var lz4Level: Int?
    /// `compression.zstd.level`: -131072 (fastest) to 22 (smallest); nil for libzstd's default (KIP-390).
    public var zstdLevel: Int?
    /// `buffer.memory`: how many bytes the undelivered records may take. `send` waits if there is no room.
    public var bufferMemory = 32 << 20
    /// `max.block.ms`: how long `send` waits for a topic's metadata and for room, and how long the calls of a transaction
    /// are retried.
    ///
    /// With zero, `send` waits for neither. The first record of a topic then fails with REQUEST_TIMED_OUT, and the topic is
    /// looked up in the background.
    public var maximumBlockTime = Duration.seconds(60)
    /// `max.in.flight.requests.per.connection`: 1 to 5. The order of records is kept with any of them (KIP-98).
    public var maximumInFlightRequests = 5
    /// `max.request.size`: the largest size of a request, and so of a record, in bytes.
    public var maximumRequestSize = 1 << 20
    /// `delivery.timeout.ms`: how long a record may be undelivered, waiting or in flight, before it fails (KIP-91).
    ///
    /// Unlike in the Java client it may be shorter than `request.timeout.ms`: the sender then learns of the failure before
    /// the request ends. In a transaction the response to what is in flight is awaited.
    public var deliveryTimeout = Duration.seconds(120)
    /// `transactional.id`: the producer's permanent name, by which brokers recognise its transactions after a restart. nil
    /// for a producer without transactions.
    ///
    /// `KafkaClient.producer` can set another one for each producer.
    public var transactionalID: String?
    /// `transaction.timeout.ms`: how long a transaction may be open before brokers abort it. Their
    /// `transaction.max.timeout.ms` limits it, 15 minutes by default.
    public var transactionTimeout = Duration.seconds(60)
    /// `partitioner.class`: chooses the partition of records that name none; nil for Kafka's default.
    public var partitioner: (any Partitioner)?
    /// `partitioner.ignore.keys`: whether records with a key are distributed as those without.
    public var partitionerIgnoresKeys = false
    /// `partitioner.adaptive.partitioning.enable`: whether partitions with a slow leader get fewer of the records without a
    /// key (KIP-794).
    public var partitionsAdaptively = true
    /// `partitioner.availability.timeout.ms`: a partition whose batch has been waiting for this long gets no more records
    /// without a key; zero for no limit.
    public var partitionAvailabilityTimeout = Duration.zero

    /// `allow.auto.create.topics`: whether the client asks the broker to create the topic of a record if it is missing. The
    /// broker's `auto.create.topics.enable` must permit it too.
    ///
    /// The property sets it for consumers as well. The Java producer has no such setting, and always asks.
    public var allowsTopicCreation = true

    /// Creates settings with defaults.
    public init() {}

    mutating func take(from list: inout PropertyList) throws(KafkaError) {
        try list.set(&acks, "acks", knownAs: ["all": .all, "-1": .all, "0": .none, "1": .leader])
        try list.set(&idempotence, "enable.idempotence")
        if idempotence == true, acks != .all {
            throw KafkaError(.invalidConfig, "enable.idempotence=true needs acks=all")
        }
        try takeTransactions(from: &list)
        try list.set(&batchSize, "batch.size", in: 0...Int(Int32.max))
        try list.set(&linger, "linger.ms")
        try takeCompression(from: &list)
        try list.set(&bufferMemory, "buffer.memory", in: 1...Int.max)
        try list.set(&maximumInFlightRequests, "max.in.flight.requests.per.connection", in: 1...5)
        try list.set(&maximumRequestSize, "max.request.size", in: 1...Int(Int32.max))
        try list.set(&deliveryTimeout, "delivery.timeout.ms", atLeast: 1)
        try list.set(&maximumBlockTime, "max.block.ms")
        try list.set(&partitionerIgnoresKeys, "partitioner.ignore.keys")
        try list.set(&partitionsAdaptively, "partitioner.adaptive.partitioning.enable")
        try list.set(&partitionAvailabilityTimeout, "partitioner.availability.timeout.ms")
    }

    private mutating func takeTransactions(from list: inout PropertyList) throws(KafkaError) {
        var id = transactionalID ?? ""
        try list.set(&id, "transactional.id")
        transactionalID = id.isEmpty ? nil : id
        try list.set(&transactionTimeout, "transaction.timeout.ms", atLeast: 1)
        if transactionalID != nil, !isIdempotent {
            throw KafkaError(.invalidConfig, "transactional.id needs acks=all and enable.idempotence=true")
        }
    }

    private mutating func takeCompression(from list: inout PropertyList) throws(KafkaError) {
        try list.set(&compression, "compression.type", knownAs: Compression.names)
        if !compression.isAvailable { throw compression.unavailable("would be compressed with") }
        try list.set(&gzipLevel, "compression.gzip.level", in: -1...9)
        if gzipLevel == -1 { gzipLevel = nil }
        if gzipLevel == 0 {
            throw KafkaError(.invalidConfig, "the property compression.gzip.level is '0'; 1 to 9 is expected, or -1")
        }
        try list.set(&lz4Level, "compression.lz4.level", in: 1...17)
        try list.set(&zstdLevel, "compression.zstd.level", in: -131_072...22)
    }

    /// The compression level for `compression`; nil for the codec's default.
    var compressionLevel: Int? {
        switch compression {
        case .gzip: gzipLevel
        case .lz4: lz4Level
        case .zstd: zstdLevel
        default: nil
        }
    }

    /// Whether batches have sequence numbers.
    var isIdempotent: Bool { acks == .all && idempotence ?? true }
}
