import CommandLineSupport
import Foundation

/// Reads a file or a pipe on a thread of its own, a few chunks ahead of the consumer.
final class InputReader: Sendable {
    enum Source: Sendable {
        case standardInput
        /// Opened on the reader's thread: opening a named pipe blocks until another process opens it to write.
        case file(String)
    }

    private static let chunkSize = 256 << 10
    /// The number of chunks that may wait to be consumed.
    private static let ahead = 4

    private let chunks: AsyncThrowingStream<[UInt8], any Error>
    private let continuation: AsyncThrowingStream<[UInt8], any Error>.Continuation
    // A semaphore traps if it ends with a lower value than it began with, so it begins with 0.
    private let room = DispatchSemaphore(value: 0)

    init(_ source: Source) {
        (chunks, continuation) = AsyncThrowingStream.makeStream()
        for _ in 0..<Self.ahead { room.signal() }
        let thread = Thread { [continuation, room] in
            do throws(Failure) {
                switch source {
                case .standardInput: try Self.read(STDIN_FILENO, named: "standard input", to: continuation, room)
                case .file(let path):
                    let descriptor = try Self.open(path)
                    defer { close(descriptor) }
                    try Self.read(descriptor, named: ShownArgument.name(path), to: continuation, room)
                }
                continuation.finish()
            } catch {
                continuation.finish(throwing: error)
            }
        }
        thread.start()
    }

    /// - Throws: A failure of status `noInput`.
    private static func open(_ path: String) throws(Failure) -> Int32 {
        while true {
            // open(2) reads the path during the call only.
            let descriptor = unsafe Foundation.open(path, O_RDONLY | O_CLOEXEC)
            if descriptor >= 0 { return descriptor }
            guard errno == EINTR else {
                throw Failure("\(ShownArgument.name(path)) can't be read: \(systemErrorText(errno))", status: .noInput)
            }
        }
    }

    /// Reads until the end of the input, or until the consumer has stopped.
    private static func read(
        _ descriptor: Int32, named name: String, to continuation: AsyncThrowingStream<[UInt8], any Error>.Continuation,
        _ room: DispatchSemaphore
    ) throws(Failure) {
        while true {
            room.wait()
            var chunk = [UInt8](repeating: 0, count: chunkSize)
            // read(2) writes within the array and only during the call.
            let count = unsafe chunk.withUnsafeMutableBytes {
                unsafe Foundation.read(descriptor, $0.baseAddress, $0.count)
            }
            if count > 0 {
                chunk.removeLast(chunkSize - count)
                if case .terminated = continuation.yield(chunk) { return }
            } else if count == 0 {
                return
            } else if errno == EINTR {
                room.signal()
            } else {
                throw Failure("\(name) can't be read: \(systemErrorText(errno))", status: .ioError)
            }
        }
    }

    /// Ends the iteration after the chunks that are already read. The thread may still block in read(2) or open(2).
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
