/// A socket, with TLS over it if the connection is encrypted.
struct ByteStream: ~Copyable {
    private let socket: Socket
    private var tls: TLSSession?
    private var lowWaterMark: Int32 = 1

    /// The most bytes that may arrive before the thread reads them. More would let a sender wait for a full window.
    private static let highestLowWaterMark: Int32 = 256 << 10

    init(_ socket: consuming Socket) {
        self.socket = socket
    }

    var descriptor: Int32 { socket.descriptor }

    /// The error of the attempt to connect (`errno`); nil if it succeeded.
    var connectError: SocketError? { socket.connectError }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> Socket.Progress {
        unsafe tls?.read(into: buffer) ?? socket.read(into: buffer)
    }

    /// Lets the poller report the socket as readable only when a good part of these bytes is there.
    ///
    /// A long response arrives in hundreds of segments. Without this, the thread would wake up for every few of them.
    ///
    /// - Parameter count: The bytes that arrive without another request, at least 1.
    mutating func expect(_ count: Int) {
        // With TLS some of the bytes may be in OpenSSL's buffers already.
        let mark = tls == nil && count >= Self.highestLowWaterMark ? Self.highestLowWaterMark : 1
        guard mark != lowWaterMark else { return }
        lowWaterMark = mark
        socket.setReceiveLowWaterMark(mark)
    }

    /// Writes a frame, from the byte at `offset` on.
    func write(_ frame: RequestFrame, from offset: Int) -> Socket.Progress {
        guard let tls else { return socket.write(frame, from: offset) }
        var progress = Socket.Progress.bytes(0)
        unsafe frame.bytes.withUnsafeBytes { bytes in
            unsafe frame.forEachPiece(from: offset, in: bytes) { piece in
                progress = unsafe tls.write(piece)
                return false
            }
        }
        return progress
    }

    // MARK: TLS

    /// Begins TLS. Everything is encrypted once the handshake is done.
    ///
    /// - Throws: An error if the host's name can't be verified.
    mutating func encrypt(with context: TLSContext, for peer: TLSPeer) throws(KafkaError) {
        tls = try TLSSession(over: descriptor, context, peer: peer)
    }

    /// Continues the handshake.
    ///
    /// - Returns: `.bytes(0)` when it is done.
    func handshake() -> Socket.Progress { tls?.handshake() ?? .bytes(0) }

    /// Whether the handshake, or the last read, can continue only when the socket takes bytes.
    var waitsForWriting: Bool { tls?.waitsForWriting ?? false }

    /// Why a call returned `.tlsFailed`.
    var failure: KafkaError? { tls?.failure }
}
