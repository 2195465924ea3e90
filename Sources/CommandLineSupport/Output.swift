import Concurrency
import Dispatch
import Foundation

/// A standard stream of the process, written on its own queue: a full pipe or a stopped terminal blocks that queue,
/// but never the threads of tasks.
public final class Output: Sendable {
    public static let standard = Output(descriptor: STDOUT_FILENO)
    public static let standardError = Output(descriptor: STDERR_FILENO, filter: .shared)

    private let descriptor: Int32
    /// Removes secrets from posted texts; nil for none.
    private let filter: SecretFilter?
    private let queue: DispatchQueue
    /// The number of posted bytes that aren't written yet.
    private let pending = Lock(0)
    /// The most pending bytes. Beyond it posts are dropped, since nothing reads them.
    private static let maximumPending = 1 << 20

    /// - Parameters:
    ///   - descriptor: An open descriptor; the caller remains responsible for closing it.
    ///   - filter: Removes secrets from posted texts; nil for none.
    public init(descriptor: Int32, filter: SecretFilter? = nil) {
        self.descriptor = descriptor
        self.filter = filter
        queue = DispatchQueue(label: "output \(descriptor)")
    }

    public var isTerminal: Bool { isatty(descriptor) == 1 }

    /// The terminal's width in columns; nil if unknown.
    public var columns: Int? {
        var size = winsize()
        // The call fills the structure and keeps no pointer to it.
        guard unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }

    /// Writes a text and returns once the system has accepted it. Everything except line feeds and tabs is escaped for
    /// a terminal (see `ForeignText`).
    public func write(_ text: String) async throws(OutputError) {
        try await write(Array(ForeignText.visible(text, keepingLayout: true).utf8))
    }

    /// Writes bytes unchanged, such as those of records, and returns once the system has accepted them.
    public func write(_ bytes: [UInt8]) async throws(OutputError) {
        if let error = await queue.value(of: { self.writeNow(bytes) }) { throw error }
    }

    /// Queues a line for writing without waiting. The text is escaped for a terminal, including its line feeds, so
    /// that it is one line. Failures are ignored: these messages have no other destination.
    public func post(line text: String) {
        post(escaped: ForeignText.visible(text) + "\n")
    }

    /// Clears the terminal.
    public func clearScreen() { post(escaped: "\u{1b}[H\u{1b}[2J") }

    /// Queues a text of one or more lines, in which line feeds and tabs are kept.
    public func post(_ text: String) {
        post(escaped: ForeignText.visible(text, keepingLayout: true))
    }

    /// Queues text that is escaped already, or terminal commands.
    func post(escaped text: String) {
        let bytes = Array((filter?.removed(from: text) ?? text).utf8)
        let hasRoom = pending.withLock { pending in
            guard pending <= Self.maximumPending else { return false }
            pending += bytes.count
            return true
        }
        guard hasRoom else { return }
        queue.async {
            _ = self.writeNow(bytes)
            self.pending.withLock { $0 -= bytes.count }
        }
    }

    /// Waits until everything posted is written.
    public func flush() async {
        await withCheckedContinuation { continuation in queue.async { continuation.resume() } }
    }

    /// Waits until everything posted is written, but not longer than a limit, since nothing may be reading a full
    /// pipe.
    public func flush(atMost limit: Duration) async {
        // A task that waits for the queue can't be cancelled, so it is abandoned.
        _ = try? await withDeadline(limit, failure: Failure("", status: .ioError)) { await self.flush() }
    }

    private func writeNow(_ bytes: [UInt8]) -> OutputError? {
        var rest = bytes[...]
        while !rest.isEmpty {
            // write(2) reads from the slice only during the call.
            let written = unsafe rest.withUnsafeBytes { unsafe Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if written > 0 {
                rest = rest.dropFirst(written)
            } else if errno == EAGAIN {
                // Another process may have made the open file non-blocking: wait until there is room.
                var waited = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = unsafe poll(&waited, 1, -1)
            } else if errno != EINTR {
                return errno == EPIPE ? .closed : .failed(errno)
            }
        }
        return nil
    }
}

/// The reason why writing failed.
public enum OutputError: Error, Equatable {
    /// The reader has closed the stream. This is no error and needs no report.
    case closed
    /// Another error, with its errno(3).
    case failed(Int32)
}

/// The system's text for an error number.
public func systemErrorText(_ number: Int32) -> String {
    // Since glibc 2.32 the text belongs to the calling thread; it is copied at once.
    guard let text = unsafe strerror(number) else { return "error \(number)" }
    return unsafe String(cString: text)
}
