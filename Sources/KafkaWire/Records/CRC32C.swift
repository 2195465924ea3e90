import CISAL

/// CRC-32C (Castagnoli), the checksum of record batches.
package enum CRC32C {
    /// The number of bytes for each call of ISA-L, whose length parameter is a C `int`.
    private static let chunk = 1 << 30

    package static func checksum(_ bytes: RawSpan) -> UInt32 {
        unsafe bytes.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress else { return 0 }
            // ISA-L expects the caller to invert the CRC before and after.
            var crc = UInt32.max
            var position = 0
            while position < buffer.count {
                let count = min(chunk, buffer.count - position)
                // The parameter isn't const, but ISA-L only reads from it.
                let start = unsafe UnsafeMutableRawPointer(mutating: base + position)
                crc = unsafe crc32_iscsi(start.assumingMemoryBound(to: UInt8.self), Int32(count), crc)
                position += count
            }
            return ~crc
        }
    }
}
