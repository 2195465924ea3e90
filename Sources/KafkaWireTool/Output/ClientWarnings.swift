import CommandLineSupport
import Concurrency
import KafkaWire

/// Prints on standard error why the client waits, one line per report. `-q` doesn't silence these lines, because they
/// explain why nothing happens.
final class ClientWarnings: Sendable {
    private struct State {
        var hasReached = false
        /// The last error of the attempts to connect to each unreached broker.
        var failures: [BrokerAddress: String] = [:]
        /// Whether a line was printed.
        var hasPrinted = false
        var isMuted = false
        var throttling: [BrokerAddress: Throttling] = [:]
    }

    /// When to print a broker's throttling next. The interval doubles from 1 s to 60 s.
    private struct Throttling {
        var next: ContinuousClock.Instant
        var interval: Duration
    }

    private let state = Lock(State())
    private let reasons: RecentReasons
    private let now: @Sendable () -> ContinuousClock.Instant
    private let write: @Sendable (String) -> Void

    init(
        now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now },
        write: @escaping @Sendable (String) -> Void = { Output.standardError.post(line: $0) }
    ) {
        self.now = now
        reasons = RecentReasons(now: now)
        self.write = write
    }

    /// Whether a connection to any broker has succeeded.
    var hasReached: Bool { state.withLock { $0.hasReached } }

    /// Why each broker could not be reached, as part of a sentence; empty if no attempt has failed.
    var failures: String {
        let failures = state.withLock { $0.failures }
        return failures.map { $0.value.contains("\($0.key)") ? $0.value : "\($0.key): \($0.value)" }.sorted()
            .joined(separator: "; ")
    }

    var hooks: ClientHooks {
        var hooks = ClientHooks()
        hooks.connected = { [self] in connected($0.broker, $0.error) }
        hooks.availabilityChanged = { [self] in availabilityChanged($0) }
        hooks.retrying = { [self] in retrying($0) }
        hooks.throttled = { [self] in throttled($0.broker, for: $0.duration) }
        return hooks
    }

    private func connected(_ broker: BrokerAddress, _ error: KafkaError?) {
        state.withLock { state in
            state.failures[broker] = error?.message
            if error == nil { state.hasReached = true }
        }
    }

    func availabilityChanged(_ change: BrokerAvailability) {
        if case .lost(let broker, let reason) = change { reasons.printed(reason, of: "lost \(broker)") }
        say("\(change)")
    }

    func retrying(_ event: RetryEvent) {
        // `connected` reports nothing for an attempt that gets no answer.
        if let broker = event.broker { state.withLock { $0.failures[broker] = event.error?.message } }
        let isNew =
            event.error.map { reasons.isNew($0.message, of: event.operation) }
            ?? reasons.isNewSuccess(of: event.operation)
        if isNew { say("\(event)") }
    }

    func throttled(_ broker: BrokerAddress, for duration: Duration) {
        let now = now()
        let isDue = state.withLock { state in
            let last = state.throttling[broker]
            if let last, now < last.next { return false }
            let interval = last.map { min($0.interval + $0.interval, .seconds(60)) } ?? .seconds(1)
            state.throttling[broker] = Throttling(next: now + interval, interval: interval)
            return true
        }
        guard isDue else { return }
        say(
            "broker \(broker) throttles this client, which has exceeded a quota: a pause of "
                + DurationText.format(duration))
    }

    /// Reports that no broker has answered yet, unless a line was already printed.
    ///
    /// - Parameter limit: The time limit of the wait; nil for no limit.
    func silent(_ servers: String, limit: Duration?) {
        let isSilent = state.withLock { !$0.hasReached && !$0.hasPrinted }
        if isSilent {
            let time = limit.map { ", for up to \(DurationText.format($0))" } ?? ""
            say("no broker has answered yet: waiting for \(servers)\(time)")
        }
    }

    /// Prints nothing from now on, because failures during the program's exit are expected.
    func mute() { state.withLock { $0.isMuted = true } }

    private func say(_ text: String) {
        let isMuted = state.withLock { state in
            state.hasPrinted = true
            return state.isMuted
        }
        guard !isMuted else { return }
        write("% \(text)")
    }
}
