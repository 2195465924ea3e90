/// How the records of a batch are compressed; the raw values are the protocol's.
public enum Compression: Int8, Sendable, CaseIterable {
    case none = 0
    case gzip = 1
    case snappy = 2
    case lz4 = 3
    case zstd = 4

    /// - Throws: `UNSUPPORTED_COMPRESSION_TYPE` for a number that stands for none.
    init(codec: Int8) throws(KafkaError) {
        guard let compression = Compression(rawValue: codec) else {
            throw KafkaError(
                .unsupportedCompressionType,
                "Records are compressed with codec \(codec), which this client doesn't know.")
        }
        self = compression
    }

    /// Decompresses the records of one batch.
    ///
    /// - Parameters:
    ///   - maximumBytes: What is larger than this when decompressed is refused.
    ///   - pool: Where the memory for it comes from.
    /// - Throws: `CORRUPT_MESSAGE`, `RECORD_LIST_TOO_LARGE`, `UNSUPPORTED_COMPRESSION_TYPE`
    func decompress(_ bytes: ByteSlice, maximumBytes: Int, pool: BufferPool) throws(KafkaError) -> ByteSlice {
        switch self {
        case .none: return bytes
        case .gzip: return try Gzip.inflate(bytes, maximumBytes: maximumBytes, pool: pool)
        // Each of these takes its place here, and in `compress`, with its library.
        case .snappy, .lz4, .zstd: throw unsupported("are compressed with")
        }
    }

    /// Compresses the records of one batch.
    ///
    /// - Parameters:
    ///   - bytes: The records.
    ///   - level: The codec's own level, or nil for its default.
    ///   - reserved: How many bytes are left free in front.
    /// - Returns: Memory that holds the compressed records from `reserved` on, and where they end.
    /// - Throws: `INVALID_CONFIG` for a level that the codec doesn't have, `UNSUPPORTED_COMPRESSION_TYPE`
    func compress(
        _ bytes: RawSpan, level: Int?, reserved: Int, pool: BufferPool
    ) throws(KafkaError) -> (storage: ByteStorage, end: Int)? {
        switch self {
        case .none: return nil
        case .gzip: return try Gzip.deflate(bytes, level: level, reserved: reserved, pool: pool)
        case .snappy, .lz4, .zstd: throw unsupported("would be compressed with")
        }
    }

    private func unsupported(_ verb: String) -> KafkaError {
        KafkaError(
            .unsupportedCompressionType,
            "Records \(verb) \(self), which this client can't do. Set the producer's or the topic's "
                + "compression.type to gzip or none.")
    }
}
