import CPQ
import Concurrency

/// A connection to a Postgres server.
///
/// libpq blocks, so each connection has a dedicated thread on which this actor runs: a call waits without holding a
/// thread of Swift's pool. Calls run one at a time in order of arrival. Cancelling a call's task cancels its statement
/// at the server.
///
/// The thread and the socket end with ``close()`` or when the last reference to the connection is released.
public actor PostgresConnection {
    private let thread: ConnectionThread
    private let cancellation: StatementCancellation
    private let health: ConnectionHealth
    private let libpq: LibpqConnection
    private let session = Lock(SessionSetup())

    /// The executor of the connection's thread.
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
    /// By default each host has 10 seconds to answer (`connect_timeout`), and a server that vanishes later is detected
    /// after about 25 seconds (`keepalives…`, `tcp_user_timeout`).
    ///
    /// - Parameters:
    ///   - uri: `postgresql://user@host:port/database?…`, key=value pairs, or a database name; nil to use the
    ///     environment (`PGHOST`, `PGPASSWORD` and so on, the password file, the service file).
    ///   - options: libpq parameters by name, which take precedence over the URI and the environment.
    ///   - defaults: libpq parameters by name, which apply if the URI doesn't set them.
    ///   - applicationName: The name in the server's views, unless the URI or the environment sets one.
    ///   - onNotice: Called on the connection's thread for each notice and warning of the server, including those
    ///     while connecting.
    /// - Throws: `usage` if the connection string is invalid; `connect` if no server answers or the server refuses,
    ///   with its SQLSTATE; `cancelled` if the task is cancelled.
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

    /// Closes the connection and ends its thread. Later calls fail.
    public func close() {
        libpq.close()
        thread.retire()
    }

    /// Whether the connection is broken or closed, so that a new one is needed.
    public nonisolated var isBroken: Bool { health.isBroken || health.isClosed }

    /// The state of a connection between two calls.
    public enum Status: Sendable {
        case idle
        /// In a transaction that a statement began.
        case inTransaction
        /// In a transaction that can only be rolled back.
        case inFailedTransaction
        case broken
        case closed
    }

    /// The connection's state, after the running call has ended.
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

    /// Runs one or more statements without parameters, and returns the last one's result.
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
        /// The statements with which the session was last set up.
        var statements: String?
        /// Whether a pooler is between this client and the server; nil if unknown.
        var isPooled: Bool?
    }

    /// Sets up the session with statements such as SET and PREPARE, unless the last call ran the same ones.
    ///
    /// Does nothing behind a connection pooler, which may give this session to other clients, and each transaction a
    /// different session. A pooler is detected by the server's process id, which it replaces by a made-up number.
    ///
    /// - Parameter sql: Statements that don't fail if they, or others, have run before.
    /// - Returns: Whether the session is set up. If false, nothing was run.
    public nonisolated func setUp(_ sql: String) async throws(PostgresError) -> Bool {
        let known = session.withLock { $0 }
        if known.statements == sql { return true }
        if known.isPooled == true { return false }
        if known.isPooled == nil {
            let reported = try await query("SELECT pg_catalog.pg_backend_pid()").onlyRow[0]
            let isPooled = reported != serverProcessID.map { "\($0)" }
            session.withLock { $0.isPooled = isPooled }
            if isPooled { return false }
        }
        session.withLock { $0.statements = nil }
        try await execute(sql)
        session.withLock { $0.statements = sql }
        return true
    }

    /// Disables ``setUp(_:)``, because the session isn't the one that was set up.
    public nonisolated func disableSetUp() {
        session.withLock { $0 = SessionSetup(isPooled: true) }
    }

    // MARK: Quoting

    /// An identifier quoted for use in a statement.
    public func quoted(_ identifier: String) throws(PostgresError) -> String {
        try libpq.quoted(identifier)
    }

    /// A text as an SQL string literal, including its quotes.
    ///
    /// Prefer a parameter of ``query(_:parameters:)`` if possible.
    public func literal(_ text: String) throws(PostgresError) -> String {
        try libpq.literal(text)
    }

    // MARK: Transactions

    /// Runs a closure in a transaction on the connection's thread, and commits.
    ///
    /// If the closure throws, the transaction is rolled back and the error is rethrown. Cancelling the task, or
    /// calling ``cancel()``, cancels the running statement and all later ones up to COMMIT, which isn't cancelled.
    /// After a connection loss ``PostgresError/mayBeCommitted`` says whether COMMIT was sent.
    ///
    /// - Parameters:
    ///   - prelude: Statements to run right after BEGIN in the same round trip, such as `SET LOCAL …`; empty for none.
    ///     The last one's result is ``PostgresSession/preludeResult``.
    ///   - body: The closure; it may block, since it runs on the connection's thread.
    @discardableResult
    public func transaction<Value: Sendable>(
        prelude: String = "", _ body: sending (inout PostgresSession) throws -> Value
    ) async throws -> Value {
        let running = cancellation.begin()
        health.beginCall()
        defer { health.endCall() }
        let outcome = await withTaskCancellationHandler {
            Result { try libpq.transaction(prelude: prelude, body) }
        } onCancel: {
            cancellation.request(running)
        }
        return try outcome.get()
    }

    /// Copies rows into tables in one transaction, with one round trip per COPY and one before.
    ///
    /// COMMIT is sent with the COPYs, and the server runs it right after the last one. If anything fails or the
    /// closure throws, everything is rolled back and the error is thrown. Cancelling the task, or calling
    /// ``cancel()``, has no effect once COMMIT runs. After a connection loss ``PostgresError/mayBeCommitted`` says
    /// whether COMMIT may have run.
    ///
    /// - Parameters:
    ///   - prelude: Statements to run right after BEGIN, such as `SET LOCAL …`; empty for none. It must not contain a
    ///     COPY.
    ///   - copies: The destinations of the rows; an empty list is a usage error.
    ///   - write: Called for each COPY in turn on the connection's thread, with its index and the result of the
    ///     prelude's last statement. May block.
    /// - Returns: The server's row count per COPY.
    @discardableResult
    public func transaction(
        prelude: String = "", copying copies: [CopyTarget],
        _ write: sending (Int, PostgresResult, inout CopyWriter) throws -> Void
    ) async throws -> [Int] {
        guard !copies.isEmpty else { throw PostgresError(.usage, "The transaction copies into no table") }
        let running = cancellation.begin()
        health.beginCall()
        defer { health.endCall() }
        let outcome = await withTaskCancellationHandler {
            Result { try libpq.transaction(prelude: prelude, copies: copies, write) }
        } onCancel: {
            cancellation.request(running)
        }
        return try outcome.get()
    }

    /// Cancels the running call, if any: it throws an error of kind `cancelled`.
    ///
    /// Returns at once; a separate thread sends the request.
    public nonisolated func cancel() {
        cancellation.request()
    }

    /// When the running statement was sent or, without one, the running call began; nil if no call is running.
    ///
    /// For reports about a connected server that doesn't answer.
    public nonisolated var busySince: ContinuousClock.Instant? { health.busySince }

    /// The server's process id for the connection; nil if not connected.
    ///
    /// Behind a connection pooler this is a number made up by the pooler.
    public nonisolated var serverProcessID: Int32? { health.serverProcessID }

    /// Breaks the connection: the running call and all later ones throw `connectionLost`.
    ///
    /// The last resort for a server that doesn't answer and ignores ``cancel()``. A running COMMIT may or may not be
    /// executed. Returns at once.
    public nonisolated func abort() {
        health.abort()
    }

    /// Runs a blocking call, which is cancelled with its task.
    private func operation<Value>(
        _ body: () throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        let running = cancellation.begin()
        health.beginCall()
        defer { health.endCall() }
        let outcome = await withTaskCancellationHandler {
            // Calls a method of the actor: a closure that uses nothing of the actor would run on Swift's pool.
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
