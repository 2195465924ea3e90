/// The bytes of one request as they go over the wire, in pieces.
///
/// Large fields (record batches) aren't copied into the frame: they stay in their own memory, and the socket's call takes
/// the pieces one after the other.
package struct RequestFrame: Sendable {
    /// A field that stays in its own memory.
    package struct Attachment: Sendable {
        /// The number of bytes of `bytes` that come before it.
        package let position: Int
        package let content: ByteSlice
    }

    /// Everything but the attachments.
    package let bytes: [UInt8]
    /// The attachments, in the order of their positions.
    package let attachments: [Attachment]
    /// The length of the whole frame in bytes.
    package let byteCount: Int

    package init(_ bytes: [UInt8], attachments: [Attachment] = []) {
        self.bytes = bytes
        self.attachments = attachments
        byteCount = attachments.reduce(bytes.count) { $0 + $1.content.count }
    }

    /// The same bytes in one piece, for a connection that encrypts them: a TLS record for each piece would cost more than
    /// the copy.
    package func contiguous() -> RequestFrame {
        guard !attachments.isEmpty else { return self }
        var whole: [UInt8] = []
        whole.reserveCapacity(byteCount)
        var position = 0
        for attachment in attachments {
            whole += bytes[position..<attachment.position]
            position = attachment.position
            unsafe attachment.content.withUnsafeBytes { unsafe whole.append(contentsOf: $0) }
        }
        whole += bytes[position...]
        return RequestFrame(whole)
    }

    /// Calls `body` with the pieces in order, from the byte at `offset` on, until it returns false.
    ///
    /// The memory of a piece is valid as long as the frame is, since the caller holds `bytes` still.
    ///
    /// - Parameter base: The memory of `bytes`.
    package func forEachPiece(
        from offset: Int, in base: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Bool
    ) {
        var left = offset
        func take(_ piece: UnsafeRawBufferPointer) -> Bool {
            guard left < piece.count else {
                left -= piece.count
                return true
            }
            defer { left = 0 }
            return unsafe body(UnsafeRawBufferPointer(rebasing: piece[left...]))
        }
        var position = 0
        for attachment in attachments {
            guard unsafe take(UnsafeRawBufferPointer(rebasing: base[position..<attachment.position])) else { return }
            position = attachment.position
            guard unsafe attachment.content.withUnsafeBytes({ unsafe take($0) }) else { return }
        }
        _ = unsafe take(UnsafeRawBufferPointer(rebasing: base[position...]))
    }
}
