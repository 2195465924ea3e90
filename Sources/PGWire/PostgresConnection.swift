import CPQ
import Concurrency

/// A connection to a Postgres server.
///
/// libpq blocks, so each connection has a thread of its own, where this actor runs: a call waits without holding a
/// thread of Swift's pool. One call runs at a time, in the order of arrival. Cancelling the task of a call cancels
/// its statement at the server.
///
/// The thread and the socket end with ``close()``, or when nothing refers to the connection any more.
public actor PostgresConnection {
    private let thread: ConnectionThread
    private let cancellation: StatementCancellation
    private let health: ConnectionHealth
    private let libpq: LibpqConnection
    private let session = Lock(SessionSetup())

    /// The connection's own thread.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe thread.asUnownedSerialExecutor() }

    private init(onNotice: (@Sendable (PostgresNotice) -> Void)?) {
        thread = ConnectionThread()
        cancellation = StatementCancellation()
        health = ConnectionHealth()
        libpq = LibpqConnection(cancellation: cancellation, health: health, onNotice: onNotice)
    }

    isolated deinit {
        libpq.close()
        thread.retire()
    }

    // MARK: Connecting

    /// Connects to a server.
    ///
    /// Where the parameters don't say otherwise, each host has 10 seconds to answer (`connect_timeout`) and a server
    /// that vanishes later is noticed after about 25 seconds (`keepalives…`, `tcp_user_timeout`).
    ///
    /// - Parameters:
    ///   - uri: `postgresql://user@host:port/database?…`, key=value pairs, or a database's name; nil for what the
    ///     environment says (`PGHOST`, `PGPASSWORD` and so on, the password file, the service file).
    ///   - options: Parameters of libpq by name; they win over the URI and the environment.
    ///   - defaults: Parameters of libpq by name that count if the URI does not set them.
    ///   - applicationName: What the server's views show, where neither of them names the application.
    ///   - onNotice: Called on the connection's thread for each notice and warning of the server, also while it connects.
    /// - Throws: `usage` for a connection string that can't be read; `connect` where nobody answers or the server
    ///   refuses, with its SQLSTATE; `cancelled` with the task.
    public static func connect(
        to uri: String? = nil, options: [String: String] = [:], defaults: [String: String] = [:],
        applicationName: String? = nil,
        onNotice: (@Sendable (PostgresNotice) -> Void)? = nil
    ) async throws(PostgresError) -> PostgresConnection {
        let parameters = try ConnectionParameters(
            uri: uri, options: options, defaults: defaults, applicationName: applicationName)
        let connection = PostgresConnection(onNotice: onNotice)
        do throws(PostgresError) {
            try await connection.open(parameters)
        } catch {
            await connection.close()
            throw error
        }
        return connection
    }

    private func open(_ parameters: ConnectionParameters) async throws(PostgresError) {
        try await operation { () throws(PostgresError) in try libpq.connect(parameters) }
    }

    /// Ends the connection and its thread. Calls that come later fail.
    public func close() {
        libpq.close()
        thread.retire()
    }

    /// Whether the connection broke, or is closed, so that only another one helps.
    public nonisolated var isBroken: Bool { health.isBroken || health.isClosed }

    /// What a connection is at between two calls.
    public enum Status: Sendable {
        case idle
        /// In a transaction that was begun by a statement.
        case inTransaction
        /// In a transaction that can only be rolled back.
        case inFailedTransaction
        case broken
        case closed
    }

    /// What the connection is at; waits for the call that is running.
    public var status: Status {
        if health.isClosed { return .closed }
        if health.isBroken { return .broken }
        return switch libpq.transactionStatus {
        case PQTRANS_INTRANS: .inTransaction
        case PQTRANS_INERROR: .inFailedTransaction
        default: .idle
        }
    }

    // MARK: Statements

    /// Runs one or several statements without parameters; the result is that of the last one.
    @discardableResult
    public func execute(_ sql: String) async throws(PostgresError) -> PostgresResult {
        try await operation { () throws(PostgresError) in try libpq.execute(sql) }
    }

    /// Runs one statement with parameters `$1`, `$2` and so on.
    @discardableResult
    public func query(
        _ sql: String, parameters: [PostgresValue] = []
    ) async throws(PostgresError) -> PostgresResult {
        try await operation { () throws(PostgresError) in try libpq.query(sql, parameters) }
    }

    // MARK: The session

    private struct SessionSetup {
        /// The statements that the session was last set up by.
        var statements: String?
        /// Whether a pooler stands between this client and the server; nil if that isn't known yet.
        var isPooled: Bool?
    }

    /// Sets the session up by statements such as SET and PREPARE, unless the last call has run the same ones.
    ///
    /// Not behind a connection pooler, which may give this session to other clients, and each transaction another session.
    /// A pooler is known by the server's process id, for which it makes up a number of its own.
    ///
    /// - Parameter sql: Several statements, which must not fail where they, or others, have run before.
    /// - Returns: Whether the session is set up. If not, nothing was run.
    public nonisolated func setUp(_ sql: String) async throws(PostgresError) -> Bool {
        let known = session.withLock { $0 }
        if known.statements == sql { return true }
        if known.isPooled == true { return false }
        if known.isPooled == nil {
            let told = try await query("SELECT pg_catalog.pg_backend_pid()").onlyRow[0]
            let isPooled = told != serverProcessID.map { "\($0)" }
            session.withLock { $0.isPooled = isPooled }
            if isPooled { return false }
        }
        session.withLock { $0.statements = nil }
        try await execute(sql)
        session.withLock { $0.statements = sql }
        return true
    }

    /// Has ``setUp(_:)`` do nothing any more, since the session is not the one that was set up.
    public nonisolated func giveUpSession() {
        session.withLock { $0 = SessionSetup(isPooled: true) }
    }

    // MARK: Parts of statements

    /// An identifier in quotes, for a statement that is put together.
    public func quoted(_ identifier: String) throws(PostgresError) -> String {
        try libpq.quoted(identifier)
    }

    /// A text as a string constant, quotes included, for a statement that is put together.
    ///
    /// Use a parameter of ``query(_:parameters:)`` if you can.
    public func literal(_ text: String) throws(PostgresError) -> String {
        try libpq.literal(text)
    }

    // MARK: Transactions

    /// Runs a closure in a transaction, whole on the connection's thread, and commits what it did.
    ///
    /// Where the closure throws, the transaction is rolled back and the closure's error comes out. Cancelling the
    /// task, or ``cancel()``, cancels the statement that runs and every later one, up to the COMMIT, which isn't
    /// cancelled. After a connection loss ``PostgresError/mayBeCommitted`` tells whether COMMIT was sent.
    ///
    /// - Parameters:
    ///   - prelude: Statements to run behind BEGIN, in the same round trip, such as `SET LOCAL …`; empty for none. The
    ///     last one's result is ``PostgresSession/preludeResult``.
    ///   - body: May block: it does so on the connection's own thread.
    @discardableResult
    public func transaction<Value: Sendable>(
        prelude: String = "", _ body: sending (inout PostgresSession) throws -> Value
    ) async throws -> Value {
        let running = cancellation.begin()
        health.callBegins()
        defer { health.callEnds() }
        let outcome = await withTaskCancellationHandler {
            Result { try libpq.transaction(prelude: prelude, body) }
        } onCancel: {
            cancellation.request(running)
        }
        return try outcome.get()
    }

    /// Copies rows into tables in one transaction, with one round trip for each COPY and one before.
    ///
    /// The COMMIT is sent with the COPYs, and the server runs it right after the last one. If anything fails, or the
    /// closure throws, all of it is rolled back and the error is thrown. Cancelling the task, or ``cancel()``, has no
    /// effect once COMMIT runs. After a connection loss ``PostgresError/mayBeCommitted`` tells whether COMMIT may have run.
    ///
    /// - Parameters:
    ///   - prelude: Statements to run behind BEGIN, such as `SET LOCAL …`; empty for none. No COPY.
    ///   - copies: Where the rows go; none is a usage error.
    ///   - write: Called for each COPY in turn, on the connection's own thread, with its index and the result of the
    ///     prelude's last statement. May block.
    /// - Returns: How many rows the server counts for each COPY.
    @discardableResult
    public func transaction(
        prelude: String = "", copying copies: [CopyTarget],
        _ write: sending (Int, PostgresResult, inout CopyWriter) throws -> Void
    ) async throws -> [Int] {
        guard !copies.isEmpty else { throw PostgresError(.usage, "The transaction copies into no table") }
        let running = cancellation.begin()
        health.callBegins()
        defer { health.callEnds() }
        let outcome = await withTaskCancellationHandler {
            Result { try libpq.transaction(prelude: prelude, copies: copies, write) }
        } onCancel: {
            cancellation.request(running)
        }
        return try outcome.get()
    }

    /// Cancels the call that is running, if there is one: it throws an error of the kind `cancelled`.
    ///
    /// The request goes out on a thread of its own; this returns at once.
    public nonisolated func cancel() {
        cancellation.request()
    }

    /// Since when the statement that is running waits for the server, or the call works; nil if no call is running.
    ///
    /// For reports of a server that is connected and does not answer.
    public nonisolated var busySince: ContinuousClock.Instant? { health.busySince }

    /// The process id of the server's side of the connection; nil without a connection.
    ///
    /// Behind a connection pooler it is a number that the pooler has made up.
    public nonisolated var serverProcessID: Int32? { health.serverProcessID }

    /// Breaks the connection: the call that is running throws `connectionLost`, and so does every later one.
    ///
    /// The last resort for a server that does not answer, where ``cancel()`` has no effect. If a COMMIT is running, the
    /// server may carry it out or not. This returns at once.
    public nonisolated func abort() {
        health.abort()
    }

    /// Runs a blocking call that ends with its task.
    private func operation<Value>(
        _ body: () throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        let running = cancellation.begin()
        health.callBegins()
        defer { health.callEnds() }
        let outcome = await withTaskCancellationHandler {
            // Through a method of the actor: a closure that uses nothing of it would run on Swift's pool.
            result(of: body)
        } onCancel: {
            cancellation.request(running)
        }
        cancellation.end(isBroken: health.isBroken)
        return try outcome.get()
    }

    private func result<Value>(
        of body: () throws(PostgresError) -> Value
    ) -> Result<Value, PostgresError> {
        Result(catching: body)
    }
}
