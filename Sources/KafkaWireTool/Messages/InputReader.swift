import CommandLineSupport
import Foundation

/// Reads a file or a pipe on a thread of its own, a few chunks ahead of who takes them.
final class InputReader: Sendable {
    private static let chunkSize = 256 << 10
    /// How many chunks may wait.
    private static let ahead = 4

    private let chunks: AsyncThrowingStream<[UInt8], any Error>
    private let continuation: AsyncThrowingStream<[UInt8], any Error>.Continuation
    // One that ends with less than it began with is a trap: it begins with nothing.
    private let room = DispatchSemaphore(value: 0)

    /// - Parameters:
    ///   - descriptor: Stays the caller's to close, unless `ownsDescriptor`.
    ///   - name: What errors call it.
    ///   - ownsDescriptor: Whether it is closed once nothing is read from it any more.
    init(descriptor: Int32, name: String, ownsDescriptor: Bool = false) {
        (chunks, continuation) = AsyncThrowingStream.makeStream()
        for _ in 0..<Self.ahead { room.signal() }
        let thread = Thread { [continuation, room] in
            defer { if ownsDescriptor { close(descriptor) } }
            while true {
                room.wait()
                var chunk = [UInt8](repeating: 0, count: Self.chunkSize)
                // read(2) writes within the array, during the call only.
                let count = unsafe chunk.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
                if count > 0 {
                    chunk.removeLast(Self.chunkSize - count)
                    if case .terminated = continuation.yield(chunk) { return }
                } else if count == 0 {
                    return continuation.finish()
                } else if errno == EINTR {
                    room.signal()
                } else {
                    let reason = systemErrorText(errno)
                    return continuation.finish(
                        throwing: Failure("\(name) can't be read: \(reason)", status: .ioError))
                }
            }
        }
        thread.start()
    }

    /// Opens a file to be read.
    ///
    /// - Throws: A failure of status `noInput`.
    static func open(_ path: String) throws(Failure) -> InputReader {
        // The path is lent for the call alone.
        let descriptor = unsafe Foundation.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw Failure("\(path) can't be read: \(systemErrorText(errno))", status: .noInput)
        }
        return InputReader(descriptor: descriptor, name: path, ownsDescriptor: true)
    }

    /// Ends the reading: nothing more comes, though the thread may wait in read(2) for as long as it likes.
    func stop() { continuation.finish() }

    func makeIterator() -> Iterator { Iterator(chunks: chunks.makeAsyncIterator(), room: room) }

    struct Iterator {
        private var chunks: AsyncThrowingStream<[UInt8], any Error>.Iterator
        private let room: DispatchSemaphore

        fileprivate init(chunks: AsyncThrowingStream<[UInt8], any Error>.Iterator, room: DispatchSemaphore) {
            self.chunks = chunks
            self.room = room
        }

        /// The next chunk; nil at the end.
        mutating func next() async throws -> [UInt8]? {
            guard let chunk = try await chunks.next() else { return nil }
            room.signal()
            return chunk
        }
    }
}
