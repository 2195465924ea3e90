#if Zstd
    import CZstd

    /// zstd by libzstd (RFC 8878).
    enum ZstdCodec {
        private static let decompressors = ContextPool<ZstdDecompressor>()
        private static let compressors = ContextPool<ZstdCompressor>()

        /// Decompresses one or more frames.
        ///
        /// - Throws: `CORRUPT_MESSAGE`, `RECORD_LIST_TOO_LARGE` if the records exceed `limit` bytes.
        static func decompress(_ bytes: ByteSlice, limit: Int, pool: BufferPool) throws(KafkaError) -> ByteSlice {
            // Decompresses in one call into memory that is large enough. The streaming interface would decompress into
            // its own window and copy from there.
            let bound = try ZstdFrames.sizeBound(bytes)
            let capacity = min(bound, limit)
            let storage = pool.take(capacity)
            guard let decompressor = decompressors.take() ?? ZstdDecompressor() else {
                throw Compression.zstd.corrupt("libzstd cannot allocate its context")
            }
            defer { decompressors.giveBack(decompressor) }
            let count = unsafe bytes.withUnsafeBytes { input in
                unsafe ZSTD_decompressDCtx(
                    decompressor.context, storage.base, capacity, input.baseAddress, input.count)
            }
            guard ZSTD_isError(count) == 0 else {
                if bound > limit, ZSTD_getErrorCode(count) == ZSTD_error_dstSize_tooSmall {
                    throw Compression.tooLarge(limit)
                }
                throw Compression.zstd.corrupt(unsafe String(cString: ZSTD_getErrorName(count)))
            }
            return ByteSlice(storage, 0..<count)
        }

        /// Compresses the records into one frame that begins at `reserved`.
        ///
        /// - Parameter level: -131072...22, or nil for libzstd's default.
        static func compress(
            _ bytes: RawSpan, level: Int?, reserved: Int, pool: BufferPool
        ) throws(KafkaError) -> (storage: ByteStorage, end: Int) {
            guard let compressor = compressors.take() ?? ZstdCompressor() else {
                throw Compression.zstd.failed("libzstd cannot allocate its context")
            }
            defer {
                // High levels take tens of megabytes, too much to keep.
                if unsafe ZSTD_sizeof_CCtx(compressor.context) <= 8 << 20 { compressors.giveBack(compressor) }
            }
            // 0 selects the default and resets an earlier level.
            let status = unsafe ZSTD_CCtx_setParameter(
                compressor.context, ZSTD_c_compressionLevel, Int32(level ?? 0))
            guard ZSTD_isError(status) == 0 else {
                throw Compression.zstd.failed(unsafe String(cString: ZSTD_getErrorName(status)))
            }
            let bound = ZSTD_compressBound(bytes.byteCount)
            let storage = pool.take(reserved + bound)
            let count = unsafe bytes.withUnsafeBytes { input in
                unsafe ZSTD_compress2(
                    compressor.context, storage.base + reserved, bound, input.baseAddress, input.count)
            }
            guard ZSTD_isError(count) == 0 else {
                throw Compression.zstd.failed(unsafe String(cString: ZSTD_getErrorName(count)))
            }
            return (storage, reserved + count)
        }
    }

    // @unchecked for both: only the caller that took a context from its pool uses it, until it gives it back.

    @safe private final class ZstdDecompressor: @unchecked Sendable {
        let context: OpaquePointer

        /// - Returns: nil if libzstd can't allocate it.
        init?() {
            guard let context = unsafe ZSTD_createDCtx() else { return nil }
            unsafe self.context = unsafe context
        }

        deinit {
            _ = unsafe ZSTD_freeDCtx(context)
        }
    }

    @safe private final class ZstdCompressor: @unchecked Sendable {
        let context: OpaquePointer

        /// - Returns: nil if libzstd can't allocate it.
        init?() {
            guard let context = unsafe ZSTD_createCCtx() else { return nil }
            unsafe self.context = unsafe context
        }

        deinit {
            _ = unsafe ZSTD_freeCCtx(context)
        }
    }
#endif
