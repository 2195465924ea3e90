/// The compression codec of a record batch. The raw values are the protocol's.
public enum Compression: Int8, Sendable, CaseIterable {
    /// No compression.
    case none = 0
    /// zlib; always available.
    case gzip = 1
    /// libsnappy; requires the package trait `Snappy`.
    case snappy = 2
    /// liblz4, in LZ4's frame format; requires the package trait `LZ4`.
    case lz4 = 3
    /// libzstd; requires the package trait `Zstd`, and Kafka 2.1 or later (KIP-110).
    case zstd = 4

    /// Whether this build of the library includes the codec.
    ///
    /// snappy, lz4 and zstd are package traits, enabled by default. A package that depends on this one can disable
    /// them.
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

    /// - Throws: `UNSUPPORTED_COMPRESSION_TYPE` for an unknown number.
    init(codec: Int8) throws(KafkaError) {
        guard let compression = Compression(rawValue: codec) else {
            throw KafkaError(
                .unsupportedCompressionType,
                "the records are compressed with codec \(codec), which this client does not support")
        }
        self = compression
    }

    /// Decompresses the records of one batch.
    ///
    /// A size that the data states is limited by what its bytes can expand to, so the memory is proportional to the
    /// data received.
    ///
    /// - Parameters:
    ///   - maximumBytes: The largest decompressed size in bytes.
    ///   - pool: The pool for the decompressed records' memory.
    /// - Throws: `CORRUPT_MESSAGE`, `RECORD_LIST_TOO_LARGE`, `UNSUPPORTED_COMPRESSION_TYPE`
    func decompress(_ bytes: ByteSlice, maximumBytes: Int, pool: BufferPool) throws(KafkaError) -> ByteSlice {
        // A record stores positions in 32 bits.
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
    ///   - reserved: The number of bytes to leave free in front.
    /// - Returns: Memory with the compressed records from `reserved` on, and the position after them; nil for `none`.
    /// - Throws: `INVALID_CONFIG` for a level out of range, `UNSUPPORTED_COMPRESSION_TYPE`
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
    /// The valid compression levels, from the fastest to the strongest; nil if the codec has none (KIP-390).
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
            "the compression level of \(self) is \(level); set it to a value from \(levels.lowerBound) to "
                + "\(levels.upperBound)")
    }
}

// MARK: Errors

extension Compression {
    /// The error for a codec that this build doesn't include.
    func unavailable(_ verb: String) -> KafkaError {
        let trait =
            switch self {
            case .snappy: "Snappy"
            case .lz4: "LZ4"
            case .zstd, .none, .gzip: "Zstd"
            }
        return KafkaError(
            .unsupportedCompressionType,
            "the records \(verb) \(self), but this program was built without it; build it with KafkaWire's package trait "
                + "\(trait), or set the producer's or the topic's compression.type to another codec")
    }

    func corrupt(_ reason: String) -> KafkaError {
        KafkaError(.corruptMessage, "\(corruptionPrefix)\(reason)")
    }

    private var corruptionPrefix: String { "a record batch's \(self) data cannot be decompressed: " }

    /// The reason in an error made by ``corrupt(_:)``, without a full stop.
    func corruption(in error: KafkaError) -> String {
        let reason = error.message.trimmingPrefix(corruptionPrefix)
        return String(reason.last == "." ? reason.dropLast() : reason)
    }

    static func tooLarge(_ limit: Int) -> KafkaError {
        KafkaError(
            .recordListTooLarge,
            "a record batch inflates to more than the limit of \(limit) bytes")
    }

    func failed(_ reason: String) -> KafkaError {
        KafkaError(.unknownServerError, "a record batch cannot be compressed with \(self): \(reason)")
    }
}
