/// Decompresses values that an application compressed itself, independently of Kafka's compression.
///
/// The formats are those of Kafka's record batches: gzip or zlib, lz4 and zstd frames, and snappy in the framing of
/// snappy-java or as one raw block.
public struct ValueInflater: Sendable {
    /// The format of the values.
    public let compression: Compression
    /// The largest size of a decompressed value, in bytes.
    public let maximumBytes: Int
    private let pool: BufferPool

    /// Creates an inflater for values of one format.
    ///
    /// - Parameters:
    ///   - compression: The format of the values.
    ///   - maximumBytes: The largest size of a decompressed value, in bytes.
    public init(_ compression: Compression, maximumBytes: Int) {
        self.compression = compression
        self.maximumBytes = maximumBytes
        pool = BufferPool(limit: 2 << 20)
    }

    /// The error for a value that is not in the format, or is too large when decompressed.
    public struct Problem: Error, Hashable {
        /// What is wrong, for example `the value is not valid gzip: incorrect header check`.
        public let reason: String

        /// Creates an error, for example in a test.
        public init(reason: String) { self.reason = reason }
    }

    /// Decompresses a value.
    ///
    /// - Throws: `Problem` if the value is damaged or too large, or this build of the library lacks the codec.
    public func inflate(_ value: RawSpan) throws(Problem) -> [UInt8] {
        let storage = pool.take(value.byteCount)
        unsafe value.withUnsafeBytes { bytes in
            // The storage has room for the whole value.
            if let base = bytes.baseAddress { unsafe storage.base.copyMemory(from: base, byteCount: bytes.count) }
        }
        do throws(KafkaError) {
            let inflated = try compression.decompress(
                ByteSlice(storage, 0..<value.byteCount), maximumBytes: maximumBytes, pool: pool)
            return [UInt8](inflated.span)
        } catch {
            switch error.code {
            case .recordListTooLarge:
                throw Problem(reason: "the value inflates to more than \(maximumBytes) bytes, the limit")
            case .corruptMessage:
                throw Problem(reason: "the value is not valid \(compression): \(compression.corruption(in: error))")
            default: throw Problem(reason: error.message)
            }
        }
    }
}
