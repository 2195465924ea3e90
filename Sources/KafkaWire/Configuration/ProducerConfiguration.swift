/// The settings of a producer, each under the name that it has in Kafka.
public struct ProducerConfiguration: Sendable {
    /// Whose word a record waits for (`acks`).
    public enum Acks: Int16, Sendable {
        /// Nobody's: a record is done when it is written to the socket, and its offset isn't known.
        case none = 0
        /// The partition's leader's.
        case leader = 1
        /// That of all replicas in sync.
        case all = -1
    }

    /// `acks`: when a record counts as delivered.
    public var acks = Acks.all
    /// `enable.idempotence`: each batch has a number, by which a broker knows one that it has already. Needs acks=all.
    ///
    /// Nil stands for: where `acks` is all.
    public var idempotence: Bool?
    /// `batch.size`: how many bytes of one partition's records make a batch complete.
    ///
    /// Larger than the Java client's 16 KiB: a batch costs a broker and every reader the same whatever is in it.
    public var batchSize = 128 << 10
    /// `linger.ms`: how long a batch that isn't complete waits for more, but for half of `delivery.timeout.ms` at most.
    public var linger = Duration.milliseconds(5)
    /// `compression.type`: how batches are compressed. UNSUPPORTED_COMPRESSION_TYPE for a codec that the build lacks.
    public var compression = Compression.none
    /// `compression.gzip.level`: from 1, the fastest, to 9, the smallest; nil (-1 as text) for zlib's default (KIP-390).
    public var gzipLevel: Int?
    /// `compression.lz4.level`: from 1, the fastest, to 17, the smallest; nil for the fast compressor (KIP-390).
    ///
    /// liblz4 does the same for 1 and 2 as for nil, compresses harder from 3 on, and does the same for all above 12.
    public var lz4Level: Int?
    /// `compression.zstd.level`: from -131072, the fastest, to 22, the smallest; nil for libzstd's default (KIP-390).
    public var zstdLevel: Int?
    /// `buffer.memory`: how many bytes the records that aren't delivered yet may take; beyond, `send` waits.
    public var bufferMemory = 32 << 20
    /// `max.block.ms`: how long `send` waits for a topic's partitions and for room, and how long the calls of a transaction
    /// are retried.
    ///
    /// Zero: `send` waits for neither. The first record of a topic then fails with REQUEST_TIMED_OUT, and has the topic
    /// looked up in the background.
    public var maximumBlock = Duration.seconds(60)
    /// `max.in.flight.requests.per.connection`: at most 5 keep their order (KIP-98).
    public var maximumInFlight = 5
    /// `max.request.size`: how large one request, and so one record, may be, in bytes.
    public var maximumRequestSize = 1 << 20
    /// `delivery.timeout.ms`: after how long a record has failed that isn't delivered, be it waiting or in flight
    /// (KIP-91).
    ///
    /// It may be shorter than `request.timeout.ms`, which the Java client doesn't allow: who sent the record hears then
    /// before the request has ended. In a transaction the answer to what is in flight is waited for.
    public var deliveryTimeout = Duration.seconds(120)
    /// `transactional.id`: the producer's name, under which brokers know its transactions when it starts again. Nil
    /// for a producer without transactions.
    public var transactionalID: String?
    /// `transaction.timeout.ms`: after how long brokers abort a transaction that wasn't ended. They allow
    /// `transaction.max.timeout.ms` at most, 15 minutes unless set otherwise.
    public var transactionTimeout = Duration.seconds(60)
    /// Chooses the partition of records that name none; nil for Kafka's default (`partitioner.class`).
    public var partitioner: (any Partitioner)?
    /// `partitioner.ignore.keys`: records with a key are spread as those without.
    public var partitionerIgnoresKeys = false
    /// `partitioner.adaptive.partitioning.enable`: of the records without a key, partitions whose leader is slow get
    /// fewer (KIP-794).
    public var partitionsAdaptively = true
    /// `partitioner.availability.timeout.ms`: a partition that has had a batch waiting for this long gets no more
    /// records without a key; zero for no such limit.
    public var partitionAvailabilityTimeout = Duration.zero

    /// `allow.auto.create.topics`: whether a record for a topic that doesn't exist has the broker create the topic, if its
    /// `auto.create.topics.enable` permits that.
    ///
    /// The property sets it for consumers too. Java's producer has no such setting, and always asks for the topic.
    public var allowsTopicCreation = true

    /// Everything by default.
    public init() {}

    mutating func take(from list: inout PropertyList) throws(KafkaError) {
        try list.set(&acks, "acks", from: ["all": .all, "-1": .all, "0": .none, "1": .leader])
        try list.set(&idempotence, "enable.idempotence")
        if idempotence == true, acks != .all {
            throw KafkaError(.invalidConfig, "enable.idempotence=true needs acks=all")
        }
        try takeTransactions(from: &list)
        try list.set(&batchSize, "batch.size", in: 0...Int(Int32.max))
        try list.set(&linger, "linger.ms")
        try takeCompression(from: &list)
        try list.set(&bufferMemory, "buffer.memory", in: 1...Int.max)
        try list.set(&maximumInFlight, "max.in.flight.requests.per.connection", in: 1...5)
        try list.set(&maximumRequestSize, "max.request.size", in: 1...Int(Int32.max))
        try list.set(&deliveryTimeout, "delivery.timeout.ms", atLeast: 1)
        try list.set(&maximumBlock, "max.block.ms")
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
        try list.set(
            &compression, "compression.type",
            from: ["none": .none, "gzip": .gzip, "snappy": .snappy, "lz4": .lz4, "zstd": .zstd])
        if !compression.isAvailable { throw compression.unavailable("would be compressed with") }
        try list.set(&gzipLevel, "compression.gzip.level", in: -1...9)
        if gzipLevel == -1 { gzipLevel = nil }
        if gzipLevel == 0 {
            throw KafkaError(.invalidConfig, "the property compression.gzip.level is '0'; 1 to 9 is expected, or -1")
        }
        try list.set(&lz4Level, "compression.lz4.level", in: 1...17)
        try list.set(&zstdLevel, "compression.zstd.level", in: -131_072...22)
    }

    /// The level for `compression`; nil for its default.
    var compressionLevel: Int? {
        switch compression {
        case .none, .snappy: nil
        case .gzip: gzipLevel
        case .lz4: lz4Level
        case .zstd: zstdLevel
        }
    }

    /// Whether batches are numbered.
    var isIdempotent: Bool { acks == .all && idempotence ?? true }
}
