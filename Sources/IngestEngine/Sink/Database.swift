import CommandLineSupport
import Concurrency
import Foundation
import KafkaWire
import PGWire

/// A connection to the database that is reestablished whenever it is lost.
///
/// It reports a server that doesn't answer. After a stop was requested the server has `grace` to answer. Then the
/// running statement is cancelled and the connection aborted, so that the program ends.
public actor Database {
    /// The time for the server to answer after a stop was requested.
    static let grace = Duration.seconds(4)
    /// The time for the server to answer a cancel request.
    private static let cancellationGrace = Duration.seconds(1)
    /// The time after which a server that doesn't answer is reported.
    private static let patience = Duration.seconds(3)
    private static let checkInterval = Duration.milliseconds(250)
    /// The number of failures on an apparently healthy connection after which it is replaced.
    private static let maximumFailures = 5

    private let uri: String?
    private let applicationName: String
    private let timing: Timing
    private let stop: StopSignal
    private let observer: IngestObserver
    private let lockWait: LockWait
    private var connection: PostgresConnection?
    /// The current attempt to connect, shared by all callers.
    private var connecting: Task<PostgresConnection, any Error>?
    private var connectingSince: ContinuousClock.Instant?
    private var wait: Wait
    private var stoppedAt: ContinuousClock.Instant?
    /// When the running statement was cancelled because the grace period was over.
    private var cancelledAt: ContinuousClock.Instant?
    /// Whether the run's final work is in progress.
    private var isFinishing = false
    private var supervisor: Task<Void, Never>?
    /// The number of failures on the current connection since its last success.
    private var failures = 0
    /// Whether the last attempt, not counting probes, has failed.
    private var isWorkFailing = false
    private var lockLookup: Task<Void, Never>?
    private var nextLockLookup: ContinuousClock.Instant?
    private var stalledCopies: StalledCopies
    /// The session that was terminated last.
    private var ended: LockHolder?

    /// The handling of long waits for a lock.
    struct LockWait: Sendable {
        /// The wait after which the sessions that hold the lock are looked up.
        var patience = Duration.seconds(5)
        /// The interval between lookups.
        var interval = Duration.seconds(5)
        /// How long a session's COPY may receive nothing before the session is terminated.
        var stallLimit = StalledCopies.defaultLimit
    }

    /// - Parameters:
    ///   - uri: A URI for libpq; nil for the `PG*` environment.
    ///   - applicationName: The name in the server's views.
    ///   - name: The connection's name in ``CurrentWaits``.
    public init(
        uri: String?, applicationName: String, timing: Timing = Timing(), stop: StopSignal,
        observer: IngestObserver, name: String = "database"
    ) {
        self.init(
            uri: uri, applicationName: applicationName, timing: timing, lockWait: LockWait(), stop: stop,
            observer: observer, name: name)
    }

    init(
        uri: String?, applicationName: String, timing: Timing = Timing(), lockWait: LockWait, stop: StopSignal,
        observer: IngestObserver = IngestObserver(), name: String = "database"
    ) {
        self.uri = uri
        self.applicationName = applicationName
        self.timing = timing
        self.lockWait = lockWait
        stalledCopies = StalledCopies(limit: lockWait.stallLimit)
        self.stop = stop
        self.observer = observer
        wait = Wait(name, observer)
    }

    deinit {
        supervisor?.cancel()
    }

    /// The open connection, or a new one. Makes one attempt.
    ///
    /// - Throws: `PostgresError`.
    public func connected() async throws -> PostgresConnection {
        if let connection, !connection.isBroken { return connection }
        startSupervisor()
        if let connecting { return try await connecting.value }
        let (uri, name) = (uri, applicationName)
        let attempt = Task { try await Self.connect(to: uri, applicationName: name) }
        connecting = attempt
        connectingSince = timing.now()
        defer {
            connecting = nil
            connectingSince = nil
        }
        let new = try await attempt.value
        connection = new
        observer.metrics.connectedToDatabase()
        return new
    }

    /// Opens a separate connection.
    ///
    /// - Throws: `PostgresError`.
    public static func connect(to uri: String?, applicationName: String) async throws -> PostgresConnection {
        // Of several hosts choose a writable one, unless the URI or the environment says otherwise.
        let isSet = ProcessInfo.processInfo.environment["PGTARGETSESSIONATTRS"]?.isEmpty == false
        return try await PostgresConnection.connect(
            to: uri, defaults: isSet ? [:] : ["target_session_attrs": "read-write"], applicationName: applicationName)
    }

    public func close() async {
        supervisor?.cancel()
        supervisor = nil
        lockLookup?.cancel()
        await connection?.close()
        connection = nil
    }

    // MARK: Retrying

    /// The connection was closed by concurrent work that found it broken.
    private struct Replaced: Error {}

    /// Runs work on the connection until it succeeds. Retries all failures that aren't caused by the data.
    ///
    /// - Throws: Errors caused by the data; errors of `body` that don't come from the database; `Stopped` for a
    ///   failure after a stop was requested.
    public func retrying<Value: Sendable>(_ body: (PostgresConnection) async throws -> Value) async throws -> Value {
        let backoff = Backoff(initial: .milliseconds(100), maximum: .seconds(2))
        var failures = 0
        while true {
            do {
                return try await attempt(body)
            } catch is Replaced {
                if stop.isRequested, !isFinishing || isGraceOver { throw Stopped() }
            } catch let error as PostgresError where error.isWorthRetrying {
                if stop.isRequested, !isFinishing || isGraceOver { throw Stopped() }
                failures += 1
                try await timing.sleep(backoff.delay(afterFailures: failures, random: timing.random()))
            }
        }
    }

    /// Runs the run's final work, which it needs to succeed: after a stop was requested, failures are retried until
    /// the grace period is over.
    public func finishing<Value: Sendable>(_ body: (PostgresConnection) async throws -> Value) async throws -> Value {
        isFinishing = true
        defer { isFinishing = false }
        return try await retrying(body)
    }

    /// Whether the grace period after a stop request is over.
    private var isGraceOver: Bool {
        guard stop.isRequested else { return false }
        let now = timing.now()
        let since = stoppedAt ?? now
        stoppedAt = since
        return now - since >= Self.grace
    }

    /// Runs work on the connection once, and reports a failure that the caller may retry.
    ///
    /// - Parameter isProbe: Whether the work only reads. A readable server may still refuse rows, so a probe's success
    ///   doesn't end the wait of other work.
    /// - Throws: Errors of `body`; `Stopped` if the work was cancelled because a stop was requested.
    func attempt<Value: Sendable>(
        isProbe: Bool = false, _ body: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        var used: PostgresConnection?
        do {
            let open = try await connected()
            used = open
            let value = try await body(open)
            if !isProbe || !isWorkFailing { recordSuccess() }
            return value
        } catch let error as PostgresError where error.kind == .cancelled && stop.isRequested {
            throw Stopped()
        } catch let error as PostgresError where error.kind == .usage && used !== connection {
            throw Replaced()
        } catch let error as PostgresError where error.isWorthRetrying {
            failures += 1
            if !isProbe { isWorkFailing = true }
            // A server that has become a standby (25006) stays one, and other repeated failures may be specific to the
            // connection.
            if let old = connection, used === old,
                old.isBroken || error.sqlState == "25006" || failures >= Self.maximumFailures
            {
                connection = nil
                failures = 0
                await old.close()
            }
            report("\(error)", as: "\(error)")
            throw error
        } catch  where !(error is PostgresError) && !(error is CancellationError) && used?.isBroken == false {
            // The failure doesn't come from the database.
            recordSuccess()
            throw error
        }
    }

    private func recordSuccess() {
        isWorkFailing = false
        failures = 0
        wait.succeeded("the database is back: continuing")
    }

    /// - Parameter kind: Identifies the reason; a new reason is logged at once.
    private func report(_ reason: String, as kind: String) {
        wait.failed(kind, at: timing.now(), "waiting for the database: \(reason)")
    }

    // MARK: Unresponsive servers

    private func startSupervisor() {
        guard supervisor == nil else { return }
        let timing = timing
        supervisor = Task { [weak self] in
            while (try? await timing.timeout(Self.checkInterval)) != nil { await self?.check() }
        }
    }

    private func check() {
        let now = timing.now()
        // PGWire uses only the system's clock.
        let busy = connection?.busySince.map { ContinuousClock.now - $0 } ?? .zero
        let waited = max(busy, connectingSince.map { now - $0 } ?? .zero)
        if waited >= Self.patience {
            report("it has not answered for \(waited.components.seconds) s", as: "silence")
        }
        if busy < lockWait.patience {
            nextLockLookup = nil
        } else if lockLookup == nil, nextLockLookup.map({ now >= $0 }) ?? true {
            nextLockLookup = now + lockWait.interval
            lookUpLock()
        }
        guard stop.isRequested else { return }
        let isGraceOver = isGraceOver
        // Nothing is lost if there is no connection.
        if !isFinishing || isGraceOver { connecting?.cancel() }
        guard busy > .zero, isGraceOver else { return }
        guard let since = cancelledAt else {
            cancelledAt = now
            connection?.cancel()
            return
        }
        if now - since >= Self.cancellationGrace { connection?.abort() }
    }

    /// Looks up which sessions hold a lock that the running statement waits for, and terminates those that are stuck
    /// in a COPY.
    private func lookUpLock() {
        // Behind a pooler it may not be a real process id; the lookup works without it then.
        let waiting = connection?.serverProcessID ?? 0
        let lookup = LockLookup(uri: uri, applicationName: applicationName)
        lockLookup = Task {
            defer { lockLookup = nil }
            guard let holders = try? await lookup.holders(blocking: waiting), !Task.isCancelled else { return }
            let stalled = stalledCopies.add(holders, at: timing.now())
            guard !holders.isEmpty, (connection?.serverProcessID ?? 0) == waiting else { return }
            let names = holders.map(\.description).joined(separator: "; ")
            report("a lock is held by \(names)", as: "lock of \(holders.map { "\($0.pid)" })")
            for holder in stalled { await end(holder, lookup) }
        }
    }

    /// Terminates a session that holds a lock and is stuck in a COPY.
    private func end(_ holder: LockHolder, _ lookup: LockLookup) async {
        let cause = "it has sent no rows of its COPY for \(lockWait.stallLimit.components.seconds) s"
        do {
            guard try await lookup.end(holder), ended != holder else { return }
            ended = holder
            observer.log.warning("ended the session of \(holder), which held a lock: \(cause)")
        } catch let error as PostgresError where error.sqlState == "42501" {
            report(
                "a lock is held by \(holder), and \(cause); this user may not end it: a superuser or a member of "
                    + "pg_signal_backend has to run SELECT pg_terminate_backend(\(holder.pid))",
                as: "stuck \(holder.pid)")
        } catch {
            // The next lookup retries.
        }
    }
}

extension Database {
    /// A group's offsets in some topics, read in one attempt.
    ///
    /// - Returns: nil if the database can't be queried.
    func offsets(of topics: Set<String>, in store: OffsetStore) async -> [TopicPartition: Int64]? {
        let entries = try? await attempt(isProbe: true) { connection in
            try await connection.transaction(prelude: Sink.transactionSettings) { session in
                try store.entries(of: topics, &session)
            }
        }
        return entries.map { entries in Dictionary(entries.map { ($0.partition, $0.nextOffset) }) { $1 } }
    }
}

/// A stop was requested during a wait.
public struct Stopped: Error {
    public init() {}
}

extension PostgresError {
    /// Whether a retry may succeed. The sink has split batches before this matters, so no row is the cause.
    fileprivate var isWorthRetrying: Bool { kind != .cancelled && kind != .usage }
}
