/// How the records of a batch are compressed; the raw values are the protocol's.
public enum Compression: Int8, Sendable, CaseIterable {
    /// The records as they are.
    case none = 0
    /// By zlib; always there.
    case gzip = 1
    /// By libsnappy: the package trait `Snappy`.
    case snappy = 2
    /// By liblz4, in LZ4's frame format: the package trait `LZ4`.
    case lz4 = 3
    /// By libzstd: the package trait `Zstd`. From Kafka 2.1 on (KIP-110).
    case zstd = 4

    /// Whether this build of the library has the codec: snappy, lz4 and zstd are each a trait of the package, and come
    /// with it unless a package that uses it leaves them out.
    public var isAvailable: Bool {
        switch self {
        case .none, .gzip: return true
        case .snappy:
            #if Snappy
                return true
            #else
                return false
            #endif
        case .lz4:
            #if LZ4
                return true
            #else
                return false
            #endif
        case .zstd:
            #if Zstd
                return true
            #else
                return false
            #endif
        }
    }

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
    /// What the data says of its own size is never believed beyond what so many bytes can become, so that memory is
    /// taken in proportion to what came.
    ///
    /// - Parameters:
    ///   - maximumBytes: What is larger than this when decompressed is refused.
    ///   - pool: Where the memory for it comes from.
    /// - Throws: `CORRUPT_MESSAGE`, `RECORD_LIST_TOO_LARGE`, `UNSUPPORTED_COMPRESSION_TYPE`
    func decompress(_ bytes: ByteSlice, maximumBytes: Int, pool: BufferPool) throws(KafkaError) -> ByteSlice {
        // Positions of a record are 32 bits wide.
        let limit = max(min(maximumBytes, Int(Int32.max) - 1), 0)
        switch self {
        case .none: return bytes
        case .gzip: return try Gzip.decompress(bytes, limit: limit, pool: pool)
        case .snappy:
            #if Snappy
                return try SnappyCodec.decompress(bytes, limit: limit, pool: pool)
            #else
                throw unavailable("are compressed with")
            #endif
        case .lz4:
            #if LZ4
                return try LZ4Codec.decompress(bytes, limit: limit, pool: pool)
            #else
                throw unavailable("are compressed with")
            #endif
        case .zstd:
            #if Zstd
                return try ZstdCodec.decompress(bytes, limit: limit, pool: pool)
            #else
                throw unavailable("are compressed with")
            #endif
        }
    }

    /// Compresses the records of one batch.
    ///
    /// - Parameters:
    ///   - bytes: The records.
    ///   - level: One of `levels`, or nil for the codec's default.
    ///   - reserved: How many bytes are left free in front.
    /// - Returns: Memory that holds the compressed records from `reserved` on, and where they end; nil for `none`.
    /// - Throws: `INVALID_CONFIG` for a level that the codec doesn't have, `UNSUPPORTED_COMPRESSION_TYPE`
    func compress(
        _ bytes: RawSpan, level: Int?, reserved: Int, pool: BufferPool
    ) throws(KafkaError) -> (storage: ByteStorage, end: Int)? {
        try check(level: level)
        switch self {
        case .none: return nil
        case .gzip: return try Gzip.compress(bytes, level: level, reserved: reserved, pool: pool)
        case .snappy:
            #if Snappy
                return try SnappyCodec.compress(bytes, reserved: reserved, pool: pool)
            #else
                throw unavailable("would be compressed with")
            #endif
        case .lz4:
            #if LZ4
                return try LZ4Codec.compress(bytes, level: level, reserved: reserved, pool: pool)
            #else
                throw unavailable("would be compressed with")
            #endif
        case .zstd:
            #if Zstd
                return try ZstdCodec.compress(bytes, level: level, reserved: reserved, pool: pool)
            #else
                throw unavailable("would be compressed with")
            #endif
        }
    }
}

// MARK: Levels

extension Compression {
    /// The compression levels that can be asked for, from the fastest to the smallest; nil where there is no choice
    /// (KIP-390).
    public var levels: ClosedRange<Int>? {
        switch self {
        case .none, .snappy: return nil
        case .gzip: return 1...9
        case .lz4: return 1...17
        case .zstd: return -131_072...22
        }
    }

    private func check(level: Int?) throws(KafkaError) {
        guard let level, let levels, !levels.contains(level) else { return }
        throw KafkaError(
            .invalidConfig,
            "The compression level of \(self) is \(level); it has to be from \(levels.lowerBound) to "
                + "\(levels.upperBound).")
    }
}

// MARK: Errors

extension Compression {
    /// The error for a codec that was left out of this build.
    func unavailable(_ verb: String) -> KafkaError {
        let trait =
            switch self {
            case .snappy: "Snappy"
            case .lz4: "LZ4"
            case .zstd, .none, .gzip: "Zstd"
            }
        return KafkaError(
            .unsupportedCompressionType,
            "Records \(verb) \(self), and this program was built without it. Build it with KafkaWire's package trait "
                + "\(trait), or set the producer's or the topic's compression.type to a codec that it has.")
    }

    func corrupt(_ reason: String) -> KafkaError {
        KafkaError(.corruptMessage, "\(corruptionPrefix)\(reason).")
    }

    private var corruptionPrefix: String { "A record batch's \(self) data can't be decompressed: " }

    /// The reason alone of an error made by ``corrupt(_:)``, without the full stop.
    func corruption(in error: KafkaError) -> String {
        let reason = error.message.trimmingPrefix(corruptionPrefix)
        return String(reason.last == "." ? reason.dropLast() : reason)
    }

    static func tooLarge(_ limit: Int) -> KafkaError {
        KafkaError(
            .recordListTooLarge,
            "A record batch inflates to more than \(limit) bytes, the largest size allowed for one.")
    }

    func failed(_ reason: String) -> KafkaError {
        KafkaError(.unknownServerError, "A record batch can't be compressed with \(self): \(reason).")
    }
}
