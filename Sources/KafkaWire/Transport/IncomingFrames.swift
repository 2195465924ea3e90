import Foundation

/// Divides the stream of bytes from a socket into frames, each in memory of its own.
///
/// A long frame is received directly into the buffer that its records are read from. Only the bytes that arrive with a
/// frame's length go through a small staging area, so that a short response takes a single call.
struct IncomingFrames: ~Copyable {
    enum Step {
        case frame(ByteSlice)
        /// The next frame's length, to be checked. `accept` continues with it.
        case length(Int32)
        case wouldBlock
        case endOfStream
        case failed(SocketError)
        case tlsFailed
    }

    private let pool: BufferPool
    private var staging = [UInt8](repeating: 0, count: 4096)
    private var stagedFrom = 0
    private var stagedTo = 0
    private var storage: ByteStorage?
    private var length = 0
    private var filled = 0

    /// The number of bytes that are missing of the current frame; 1 if its length is unknown.
    var missing: Int { storage == nil ? 1 : max(1, length - filled) }

    init(pool: BufferPool) {
        self.pool = pool
    }

    /// Takes the memory for a frame of this length.
    mutating func accept(_ length: Int32) {
        self.length = Int(length)
        let storage = pool.take(self.length)
        filled = min(stagedTo - stagedFrom, self.length)
        unsafe UnsafeMutableRawBufferPointer(start: storage.base, count: filled)
            .copyBytes(from: staging[stagedFrom..<stagedFrom + filled])
        stagedFrom += filled
        self.storage = storage
    }

    /// Reads as far as possible without waiting.
    mutating func next(reading read: (UnsafeMutableRawBufferPointer) -> Socket.Progress) -> Step {
        while true {
            if let storage {
                if filled == length {
                    self.storage = nil
                    return .frame(ByteSlice(storage, 0..<length))
                }
                // Nobody else has the storage yet, and the range ends at its length.
                let rest = unsafe UnsafeMutableRawBufferPointer(start: storage.base + filled, count: length - filled)
                switch unsafe read(rest) {
                case .bytes(let count): filled += count
                case .wouldBlock: return .wouldBlock
                case .endOfStream: return .endOfStream
                case .failed(let code): return .failed(SocketError(code))
                case .tlsFailed: return .tlsFailed
                }
            } else if stagedTo - stagedFrom >= 4 {
                let word = staging[stagedFrom..<stagedFrom + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
                stagedFrom += 4
                return .length(Int32(bitPattern: word))
            } else {
                let kept = stagedTo - stagedFrom
                for index in 0..<kept { staging[index] = staging[stagedFrom + index] }
                (stagedFrom, stagedTo) = (0, kept)
                let progress = unsafe staging.withUnsafeMutableBytes { buffer in
                    unsafe read(UnsafeMutableRawBufferPointer(rebasing: buffer[kept...]))
                }
                switch progress {
                case .bytes(let count): stagedTo += count
                case .wouldBlock: return .wouldBlock
                case .endOfStream: return .endOfStream
                case .failed(let code): return .failed(SocketError(code))
                case .tlsFailed: return .tlsFailed
                }
            }
        }
    }
}
