/// The codec that compresses the records of a batch (`compression.type`).
///
/// Open: a batch that a newer client compressed may have a codec that is not named here. Reading it fails with
/// UNSUPPORTED_COMPRESSION_TYPE.
public struct Compression: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The number in the protocol, from 0 to 7.
    public let rawValue: Int8

    /// Creates a codec from its number in the protocol.
    public init(rawValue: Int8) { self.rawValue = rawValue }

    /// No compression.
    public static let none = Compression(rawValue: 0)
    /// gzip, by zlib and ISA-L; part of every build.
    public static let gzip = Compression(rawValue: 1)
    /// snappy, by libsnappy: the package trait `Snappy`.
    public static let snappy = Compression(rawValue: 2)
    /// LZ4's frame format, by liblz4: the package trait `LZ4`.
    public static let lz4 = Compression(rawValue: 3)
    /// zstd, by libzstd: the package trait `Zstd`. From Kafka 2.1 on (KIP-110).
    public static let zstd = Compression(rawValue: 4)

    static let names: KeyValuePairs<String, Compression> = [
        "none": .none, "gzip": .gzip, "snappy": .snappy, "lz4": .lz4, "zstd": .zstd,
    ]

    /// The codecs that this version of the library knows, whether or not this build has them.
    public static let allKnown: [Compression] = names.map(\.value)

    /// The value of `compression.type`, such as `zstd`; `codec n` for an unknown one.
    public var description: String { Self.names.key(of: self) ?? "codec \(rawValue)" }

    /// Whether this build of the library has the codec. snappy, lz4 and zstd are traits of the package, on by default.
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
        default: return false
        }
    }

    /// - Throws: UNSUPPORTED_COMPRESSION_TYPE for an unknown number.
    init(codec: Int8) throws(KafkaError) {
        self.init(rawValue: codec)
        guard Self.allKnown.contains(self) else { throw unknown }
    }

    private var unknown: KafkaError {
        KafkaError(
            .unsupportedCompressionType, "the records are compressed with \(self), which this client does not support")
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
        default: throw unknown
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
        default: throw unknown
        }
    }
}

// MARK: Levels

extension Compression {
    /// The compression levels of the codec (KIP-390), from the fastest to the one with the smallest result; nil if the
    /// codec has no levels.
    public var levels: ClosedRange<Int>? {
        switch self {
        case .gzip: return 1...9
        case .lz4: return 1...17
        case .zstd: return -131_072...22
        default: return nil
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
            default: "Zstd"
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
