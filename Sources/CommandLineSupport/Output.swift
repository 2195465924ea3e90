import Concurrency
import Dispatch
import Foundation

/// A standard stream of the process, written on a queue of its own: a pipe that is full or a terminal that was
/// stopped holds up that queue, never the threads that tasks run on.
public final class Output: Sendable {
    public static let standard = Output(descriptor: STDOUT_FILENO)
    public static let standardError = Output(descriptor: STDERR_FILENO, filter: .shared)

    private let descriptor: Int32
    /// Removes secrets from what is posted; nil for none.
    private let filter: SecretFilter?
    private let queue: DispatchQueue
    /// The bytes that were posted and are not written yet.
    private let pending = Lock(0)
    /// Beyond this many pending bytes posts are dropped: nobody reads them.
    private static let mostPending = 1 << 20

    /// - Parameters:
    ///   - descriptor: Stays the caller's to close.
    ///   - filter: Removes secrets from the texts that are posted; nil for none.
    public init(descriptor: Int32, filter: SecretFilter? = nil) {
        self.descriptor = descriptor
        self.filter = filter
        queue = DispatchQueue(label: "output \(descriptor)")
    }

    public var isTerminal: Bool { isatty(descriptor) == 1 }

    /// The terminal's width in columns, or nil where it isn't known.
    public var columns: Int? {
        var size = winsize()
        // The call fills the structure that it is lent.
        guard unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }

    /// Writes the text, escaped for a terminal but for its line feeds and tabs (see `ForeignText`), and returns once the
    /// system has taken it.
    public func write(_ text: String) async throws(OutputError) {
        try await write(Array(ForeignText.visible(text, keepingLayout: true).utf8))
    }

    /// Writes the bytes as they are, such as those of records, and returns once the system has taken them.
    public func write(_ bytes: [UInt8]) async throws(OutputError) {
        if let error = await queue.value(of: { self.writeNow(bytes) }) { throw error }
    }

    /// Writes a line after what is under way, and doesn't wait for it. The text is escaped for a terminal, its line
    /// feeds too, so that it is one line. A failure is left unseen: this is for messages that have nowhere else to go.
    public func post(line text: String) {
        post(escaped: ForeignText.visible(text) + "\n")
    }

    /// Empties a terminal.
    public func clearScreen() { post(escaped: "\u{1b}[H\u{1b}[2J") }

    /// The same for text of one or more lines, whose line feeds and tabs stay.
    public func post(_ text: String) {
        post(escaped: ForeignText.visible(text, keepingLayout: true))
    }

    /// The same for text that is escaped already, and for commands to the terminal.
    func post(escaped text: String) {
        let bytes = Array((filter?.removed(from: text) ?? text).utf8)
        let hasRoom = pending.withLock { pending in
            guard pending <= Self.mostPending else { return false }
            pending += bytes.count
            return true
        }
        guard hasRoom else { return }
        queue.async {
            _ = self.writeNow(bytes)
            self.pending.withLock { $0 -= bytes.count }
        }
    }

    /// Returns when everything posted is written.
    public func flush() async {
        await withCheckedContinuation { continuation in queue.async { continuation.resume() } }
    }

    /// Returns when everything posted is written, or after some time: nobody may be reading a pipe that is full.
    public func flush(atMost limit: Duration) async {
        // A task that waits for the queue can't be cancelled, so it is left behind.
        _ = try? await withDeadline(limit, failure: Failure("", status: .ioError)) { await self.flush() }
    }

    private func writeNow(_ bytes: [UInt8]) -> OutputError? {
        var rest = bytes[...]
        while !rest.isEmpty {
            // write(2) reads within the slice, during the call only.
            let written = unsafe rest.withUnsafeBytes { unsafe Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if written > 0 {
                rest = rest.dropFirst(written)
            } else if errno == EAGAIN {
                // Somebody else's open file may have been made non-blocking: wait until there is room.
                var waited = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = unsafe poll(&waited, 1, -1)
            } else if errno != EINTR {
                return errno == EPIPE ? .closed : .failed(errno)
            }
        }
        return nil
    }
}

/// Why something can't be written.
public enum OutputError: Error, Equatable {
    /// Whoever read it has gone: no fault, and nothing more to say.
    case closed
    /// With the number of errno(3).
    case failed(Int32)
}

/// The system's text for an error number.
public func systemErrorText(_ number: Int32) -> String {
    // Since version 2.32 the C library's text belongs to the calling thread, and is copied at once.
    guard let text = unsafe strerror(number) else { return "error \(number)" }
    return unsafe String(cString: text)
}
