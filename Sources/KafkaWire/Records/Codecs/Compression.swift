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
            .unsupportedCompressionType, "Records are compressed with \(self), which this client doesn't know.")
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
        default: throw unknown
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
            default: "Zstd"
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
