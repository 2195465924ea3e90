/// Decompresses values that an application compressed itself, independently of Kafka's compression.
///
/// The formats are those of Kafka's record batches: gzip or zlib, lz4 and zstd frames, and snappy in the framing of
/// snappy-java or as one raw block.
public struct ValueInflater: Sendable {
    /// The format of the values.
    public let compression: Compression
    /// The largest decompressed size of a value in bytes.
    public let maximumBytes: Int
    private let pool: BufferPool

    /// - Parameters:
    ///   - compression: The format of the values.
    ///   - maximumBytes: The largest decompressed size of a value in bytes.
    public init(_ compression: Compression, maximumBytes: Int) {
        self.compression = compression
        self.maximumBytes = maximumBytes
        pool = BufferPool(limit: 2 << 20)
    }

    /// The reason why a value can't be decompressed: invalid data, too large, or a codec that this build lacks.
    public struct Problem: Error {
        /// The reason, such as `the value is not valid gzip: incorrect header check`.
        public let reason: String
    }

    /// Decompresses a value.
    ///
    /// - Throws: `Problem`
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
