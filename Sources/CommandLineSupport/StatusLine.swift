import Concurrency

/// A progress line at the bottom of a terminal that is redrawn, with messages above it.
///
/// If standard error isn't a terminal there is no progress line, and messages are plain lines.
public final class StatusLine: Sendable {
    /// The status line of this process, on standard error.
    public static let shared = StatusLine(
        isTerminal: Output.standardError.isTerminal,
        columns: { Output.standardError.columns ?? 80 },
        now: { ContinuousClock.now },
        write: { Output.standardError.post(escaped: $0) })

    private struct State {
        var shown: String?
        var drawn: ContinuousClock.Instant?
    }

    /// The shortest interval between two redraws.
    private static let period = Duration.milliseconds(200)

    public let isTerminal: Bool
    private let columns: @Sendable () -> Int
    private let now: @Sendable () -> ContinuousClock.Instant
    private let write: @Sendable (String) -> Void
    private let state = Lock(State())

    /// - Parameter write: Receives terminal commands and text that is already escaped.
    public init(
        isTerminal: Bool, columns: @escaping @Sendable () -> Int,
        now: @escaping @Sendable () -> ContinuousClock.Instant, write: @escaping @Sendable (String) -> Void
    ) {
        self.isTerminal = isTerminal
        self.columns = columns
        self.now = now
        self.write = write
    }

    /// Shows a text, escaped (see `ForeignText`) and cut to the terminal's width.
    ///
    /// Redraws at most five times a second; `text` isn't called in between.
    public func update(_ text: () -> String) {
        guard isTerminal else { return }
        state.withLock { state in
            let now = now()
            if let drawn = state.drawn, now - drawn < Self.period { return }
            state.drawn = now
            // The last column stays free: some terminals wrap once it is used.
            let line = String(ForeignText.visible(text()).prefix(max(1, columns() - 1)))
            state.shown = line
            write("\r\u{1b}[K" + line)
        }
    }

    /// Prints a permanent line above the progress line. The text is escaped (see `ForeignText`).
    public func message(_ text: String) {
        let text = ForeignText.visible(text)
        state.withLock { state in
            guard let shown = state.shown else {
                write(text + "\n")
                return
            }
            write("\r\u{1b}[K" + text + "\n" + shown)
        }
    }

    /// Removes the progress line. A later update shows it again.
    public func clear() {
        state.withLock { state in
            if state.shown != nil { write("\r\u{1b}[K") }
            state = State()
        }
    }
}
