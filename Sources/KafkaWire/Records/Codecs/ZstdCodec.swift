#if Zstd
    import CZstd

    /// zstd by libzstd (RFC 8878).
    enum ZstdCodec {
        private static let decompressors = ContextPool<ZstdDecompressor>()
        private static let compressors = ContextPool<ZstdCompressor>()

        /// - Throws: `CORRUPT_MESSAGE`, `RECORD_LIST_TOO_LARGE` where the records have more than `limit` bytes.
        static func decompress(_ bytes: ByteSlice, limit: Int, pool: BufferPool) throws(KafkaError) -> ByteSlice {
            // At once into memory that is large enough: the streaming interface would decompress into a window of its
            // own first, and copy from there.
            let bound = try ZstdFrames.sizeBound(bytes)
            let capacity = min(bound, limit)
            let storage = pool.take(capacity)
            guard let decompressor = decompressors.take() ?? ZstdDecompressor() else {
                throw Compression.zstd.corrupt("libzstd can't get the memory for it")
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

        /// - Parameter level: -131072...22, or nil for libzstd's default.
        static func compress(
            _ bytes: RawSpan, level: Int?, reserved: Int, pool: BufferPool
        ) throws(KafkaError) -> (storage: ByteStorage, end: Int) {
            guard let compressor = compressors.take() ?? ZstdCompressor() else {
                throw Compression.zstd.failed("libzstd can't get the memory for it")
            }
            defer {
                // High levels take tens of megabytes, which aren't worth keeping.
                if unsafe ZSTD_sizeof_CCtx(compressor.context) <= 8 << 20 { compressors.giveBack(compressor) }
            }
            // 0 stands for the default, also where nothing else was set before.
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

    // @unchecked for both: a context is used by whoever took it out of its pool, and by nobody else until it is back.

    @safe private final class ZstdDecompressor: @unchecked Sendable {
        let context: OpaquePointer

        /// - Returns: nil where there is no memory for it.
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

        /// - Returns: nil where there is no memory for it.
        init?() {
            guard let context = unsafe ZSTD_createCCtx() else { return nil }
            unsafe self.context = unsafe context
        }

        deinit {
            _ = unsafe ZSTD_freeCCtx(context)
        }
    }
#endif
