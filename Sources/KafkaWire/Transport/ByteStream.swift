/// A socket, with TLS over it where that is wanted: what a connection's bytes come from and go to.
struct ByteStream: ~Copyable {
    private let socket: Socket
    private var tls: TLSSession?

    init(_ socket: consuming Socket) {
        self.socket = socket
    }

    var descriptor: Int32 { socket.descriptor }

    /// How the attempt to connect ended: nil for well, else `errno`.
    var connectError: SocketError? { socket.connectError }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> Socket.Progress {
        unsafe tls?.read(into: buffer) ?? socket.read(into: buffer)
    }

    func write(_ buffer: UnsafeRawBufferPointer) -> Socket.Progress {
        unsafe tls?.write(buffer) ?? socket.write(buffer)
    }

    // MARK: TLS

    /// Encrypts all that comes after, once the handshake is done.
    ///
    /// - Throws: An error if the host's name can't be verified.
    mutating func encrypt(with context: TLSContext, for peer: TLSPeer) throws(KafkaError) {
        tls = try TLSSession(over: descriptor, context, peer: peer)
    }

    /// Goes on with the handshake.
    ///
    /// - Returns: `.bytes(0)` when it is done.
    func handshake() -> Socket.Progress { tls?.handshake() ?? .bytes(0) }

    /// Whether the handshake, or the last read, can go on only once the socket takes bytes.
    var waitsForWriting: Bool { tls?.waitsForWriting ?? false }

    /// Why a call came to `.tlsFailed`.
    var failure: KafkaError? { tls?.failure }
}
