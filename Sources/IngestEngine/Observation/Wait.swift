import CommandLineSupport
import Concurrency

/// The reasons that currently keep records from reaching the database, readable from outside.
public final class CurrentWaits: Sendable {
    private let reasons = Lock<[String: String]>([:])

    public init() {}

    /// The reason for each current wait, by the wait's name.
    public var all: [String: String] { reasons.withLock { $0 } }

    fileprivate func set(_ name: String, _ reason: String?) { reasons.withLock { $0[name] = reason } }
}

/// A wait that may occur: logs its reason and its end, and lists it in ``CurrentWaits`` meanwhile.
public struct Wait: Sendable {
    /// nil if records still reach the database during the wait.
    private let name: String?
    private let log: Log
    private let current: CurrentWaits
    private var reporter = WaitReporter()

    /// - Parameter name: The name in ``CurrentWaits``; nil if records still reach the database during the wait.
    public init(_ name: String?, _ observer: IngestObserver) {
        self.name = name
        log = observer.log
        current = observer.waits
    }

    /// Reports a failed attempt. Call it after each one, or periodically while an attempt takes long.
    ///
    /// - Parameters:
    ///   - kind: Identifies the reason; a new reason is logged at once.
    ///   - message: The log line: what is waited for, and why.
    public mutating func failed(_ kind: String, at now: ContinuousClock.Instant, _ message: String) {
        if let name { current.set(name, message) }
        if reporter.isDue(kind, at: now) { log.warning(message) }
    }

    /// Reports a success.
    ///
    /// - Parameter message: The log line, written only if the wait was logged.
    public mutating func succeeded(_ message: String) {
        if let name { current.set(name, nil) }
        if reporter.succeeded() { log.info(message) }
    }

    /// Ends the wait, whatever its outcome.
    public func end() { if let name { current.set(name, nil) } }
}
