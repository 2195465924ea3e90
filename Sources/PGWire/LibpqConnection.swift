import CPQ

/// A libpq connection. It blocks, and only the thread of its ``PostgresConnection`` uses it.
///
/// Every statement ends with ``drain()``. Afterwards all results have been read, no COPY is open, and the connection
/// is either ready for the next statement or marked as broken.
///
/// Source: PostgreSQL manual, "libpq — C Library".
@safe final class LibpqConnection {
    /// The connection; nil before ``connect(_:)`` and after ``close()``.
    var pointer: OpaquePointer?
    let cancellation: StatementCancellation
    /// State that is readable from all tasks.
    let health: ConnectionHealth
    private let notices: NoticeReceiver
    /// The reason why the current transaction can't be committed; nil if it can.
    var transactionError: PostgresError?

    /// Creates an unconnected instance.
    init(
        cancellation: StatementCancellation, health: ConnectionHealth,
        onNotice: (@Sendable (PostgresNotice) -> Void)?
    ) {
        unsafe pointer = nil
        self.cancellation = cancellation
        self.health = health
        notices = NoticeReceiver(handler: onNotice)
    }

    /// Connects, blocking until that succeeds or fails.
    func connect(_ parameters: ConnectionParameters) throws(PostgresError) {
        // The receiver lives until the connection is closed, in `deinit` at the latest.
        let connection = unsafe try Self.open(parameters, notices: notices) { cancellation.isRequested }
        unsafe pointer = unsafe connection
        unsafe cancellation.attach(to: connection)
        health.opened(
            socket: unsafe PQsocket(connection), serverProcessID: unsafe PQbackendPID(connection))
    }

    deinit {
        close()
    }

    /// Terminates the session and frees the connection.
    func close() {
        // First, since PQfinish closes the socket and its descriptor may be reused.
        health.close()
        if let open = unsafe pointer { unsafe PQfinish(open) }
        unsafe pointer = nil
    }

    /// The connection, if it is usable and the operation isn't cancelled.
    @unsafe func ready() throws(PostgresError) -> OpaquePointer {
        guard let pointer = unsafe pointer else { throw PostgresError(.usage, "The connection is closed") }
        guard !health.isBroken else {
            throw PostgresError(.connectionLost, "the connection broke earlier; connect again")
        }
        if cancellation.isRequested { throw PostgresError(.cancelled, "it wasn't sent") }
        return unsafe pointer
    }

    var transactionStatus: PGTransactionStatusType { unsafe PQtransactionStatus(pointer) }

    // MARK: Statements

    /// Runs one or more statements without parameters, and returns the last one's result.
    func execute(_ sql: String) throws(PostgresError) -> PostgresResult {
        try send(sql)
        return try drain()
    }

    /// Runs one statement with parameters.
    func query(_ sql: String, _ parameters: [PostgresValue]) throws(PostgresError) -> PostgresResult {
        try checkNoNUL(sql, "The statement")
        // libpq takes addresses, so the values are stored in one block, each followed by a NUL.
        var block: [UInt8] = []
        var offsets: [Int?] = []
        var lengths: [Int32] = []
        var formats: [Int32] = []
        for parameter in parameters {
            let bytes = parameter.wireBytes
            guard parameter.isBinary || bytes?.contains(0) != true else {
                throw PostgresError(.usage, "A text parameter contains a NUL character, which Postgres can't store")
            }
            guard bytes?.count ?? 0 <= CopyBuffer.maximumFieldSize else {
                throw PostgresError(.usage, "A parameter is longer than \(CopyBuffer.maximumFieldSize) bytes")
            }
            offsets.append(bytes.map { _ in block.count })
            lengths.append(Int32(truncatingIfNeeded: bytes?.count ?? 0))
            formats.append(parameter.isBinary ? 1 : 0)
            block += bytes ?? []
            block.append(0)
        }
        guard parameters.count <= 65_535 else {
            throw PostgresError(.usage, "The statement has \(parameters.count) parameters, more than 65535")
        }
        let connection = unsafe try ready()
        health.beginStatement()
        let isSent = unsafe block.withUnsafeBufferPointer { block in
            let values = unsafe offsets.map { offset -> UnsafePointer<CChar>? in
                guard let offset, let base = block.baseAddress else { return nil }
                return unsafe UnsafeRawPointer(base + offset).assumingMemoryBound(to: CChar.self)
            }
            // libpq copies everything into its own buffer before it returns.
            return unsafe PQsendQueryParams(
                connection, sql, Int32(truncatingIfNeeded: parameters.count), nil, values, lengths, formats, 0) == 1
        }
        if !isSent { throw unsafe failure(of: connection) }
        return try drain()
    }

    func send(_ sql: String) throws(PostgresError) {
        try checkNoNUL(sql, "The statement")
        let connection = unsafe try ready()
        health.beginStatement()
        guard unsafe PQsendQuery(connection, sql) == 1 else { throw unsafe failure(of: connection) }
    }

    private func checkNoNUL(_ string: String, _ what: String) throws(PostgresError) {
        if string.utf8.contains(0) { throw PostgresError(.usage, "\(what) contains a NUL character") }
    }

    /// An identifier quoted for use in a statement.
    func quoted(_ identifier: String) throws(PostgresError) -> String {
        try checkNoNUL(identifier, "An identifier")
        guard let connection = unsafe pointer else { throw PostgresError(.usage, "The connection is closed") }
        guard let text = unsafe PQescapeIdentifier(connection, identifier, identifier.utf8.count) else {
            throw PostgresError(.usage, "An identifier can't be quoted: \(unsafe message(of: connection))")
        }
        defer { unsafe PQfreemem(text) }
        return unsafe String(cString: text)
    }

    /// A text as an SQL string literal, whatever `standard_conforming_strings` is.
    func literal(_ text: String) throws(PostgresError) -> String {
        try checkNoNUL(text, "A text")
        guard let connection = unsafe pointer else { throw PostgresError(.usage, "The connection is closed") }
        guard let literal = unsafe PQescapeLiteral(connection, text, text.utf8.count) else {
            throw PostgresError(.usage, "A text can't be quoted: \(unsafe message(of: connection))")
        }
        defer { unsafe PQfreemem(literal) }
        return unsafe String(cString: literal)
    }

    // MARK: Results

    /// The results of the statements that were sent.
    struct Drained {
        /// The first result; nil if there is none.
        var first: PostgresResult?
        /// The last result; without rows if there is none.
        var last = PostgresResult(columns: [], rows: [], affectedRows: nil)
        /// Whether the server waits for the rows of a COPY. If false, all results have been read.
        var awaitsRows = false
    }

    /// Reads all results and leaves no COPY open.
    ///
    /// - Parameters:
    ///   - acceptsCopy: Whether to return as soon as the server waits for the rows of a COPY.
    ///   - drained: Receives the results that were read, even if this throws.
    func drain(untilCopy acceptsCopy: Bool, _ drained: inout Drained) throws(PostgresError) {
        guard let connection = unsafe pointer else { throw PostgresError(.usage, "The connection is closed") }
        drained = Drained()
        var failure: PostgresError?
        while let result = unsafe PQgetResult(connection) {
            defer { unsafe PQclear(result) }
            switch unsafe PQresultStatus(result) {
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_SINGLE_TUPLE, PGRES_EMPTY_QUERY:
                drained.last = unsafe PostgresResult(result)
                drained.first = drained.first ?? drained.last
            case PGRES_COPY_IN:
                if acceptsCopy, failure == nil {
                    drained.awaitsRows = true
                    return
                }
                failure = failure ?? PostgresError(.usage, "COPY FROM STDIN needs rows: use copy(into:columns:from:)")
                // If not even that can be sent, the next result would be this one again, forever.
                if unsafe PQputCopyEnd(connection, "no rows were to be sent") != 1 { health.markBroken() }
            case PGRES_COPY_OUT:
                failure = failure ?? PostgresError(.usage, "COPY TO STDOUT isn't supported")
                unsafe discardCopyData(connection)
            case PGRES_FATAL_ERROR, PGRES_NONFATAL_ERROR, PGRES_BAD_RESPONSE:
                failure = unsafe failure ?? PostgresError(result)
            default:
                failure = failure ?? PostgresError(.protocolViolation, "an unknown kind of result arrived")
                health.markBroken()
            }
            if health.isBroken { break }
        }
        if unsafe PQstatus(connection) == CONNECTION_BAD { health.markBroken() }
        guard let failure else {
            if health.isBroken { throw unsafe self.failure(of: connection) }
            // A rollback to a savepoint has made the transaction usable again.
            if transactionError != nil, transactionStatus == PQTRANS_INTRANS { transactionError = nil }
            return
        }
        throw classified(failure)
    }

    func drain() throws(PostgresError) -> PostgresResult {
        var drained = Drained()
        try drain(untilCopy: false, &drained)
        return drained.last
    }

    @unsafe private func discardCopyData(_ connection: OpaquePointer) {
        var row: UnsafeMutablePointer<CChar>?
        while unsafe PQgetCopyData(connection, &row, 0) > 0 { unsafe PQfreemem(row) }
    }

    /// Refines the kind of a server's error, and stores the first one of a transaction.
    private func classified(_ error: PostgresError) -> PostgresError {
        var error = error
        if error.kind != .usage, unsafe PQstatus(pointer) == CONNECTION_BAD {
            error.kind = .connectionLost
        } else if error.kind == .server, error.sqlState == "57014", cancellation.isRequested {
            error.kind = .cancelled
        }
        if transactionError == nil, transactionStatus == PQTRANS_INERROR { transactionError = error }
        return error
    }

    /// The error of a call that libpq itself refused.
    @unsafe func failure(of connection: OpaquePointer) -> PostgresError {
        let text = unsafe message(of: connection)
        guard unsafe PQstatus(connection) == CONNECTION_BAD else { return PostgresError(.usage, text) }
        health.markBroken()
        return PostgresError(.connectionLost, text)
    }

    @unsafe private func message(of connection: OpaquePointer) -> String {
        unsafe PostgresError.oneLine(PQerrorMessage(connection).map { unsafe String(cString: $0) } ?? "unknown error")
    }
}
