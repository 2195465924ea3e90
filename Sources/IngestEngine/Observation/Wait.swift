import CommandLineSupport
import Concurrency

/// What keeps records from the database at the moment, for those who ask from outside.
public final class CurrentWaits: Sendable {
    private let reasons = Lock<[String: String]>([:])

    public init() {}

    /// Why each thing is waited for, by a name for it.
    public var all: [String: String] { reasons.withLock { $0 } }

    fileprivate func set(_ name: String, _ reason: String?) { reasons.withLock { $0[name] = reason } }
}

/// One thing that may have to be waited for: logs why, and its end, and makes both known.
public struct Wait: Sendable {
    /// Nil for something without which records still reach the database.
    private let name: String?
    private let log: Log
    private let current: CurrentWaits
    private var reporter = WaitReporter()

    /// - Parameter name: For ``CurrentWaits``; nil for something without which records still reach the database.
    public init(_ name: String?, _ observer: IngestObserver) {
        self.name = name
        log = observer.log
        current = observer.waits
    }

    /// Call after each failed attempt, or from time to time while one attempt takes long.
    ///
    /// - Parameters:
    ///   - kind: What makes the reason another one, so that it is logged at once.
    ///   - message: What to log: that something is waited for, and why.
    public mutating func failed(_ kind: String, at now: ContinuousClock.Instant, _ message: String) {
        if let name { current.set(name, message) }
        if reporter.isDue(kind, at: now) { log.warning(message) }
    }

    /// Call after a success.
    ///
    /// - Parameter message: Logged if it was logged before that something is waited for.
    public mutating func succeeded(_ message: String) {
        if let name { current.set(name, nil) }
        if reporter.succeeded() { log.info(message) }
    }

    /// Call when nothing is waited for any more, whatever became of it.
    public func end() { if let name { current.set(name, nil) } }
}
