/// The failure of an operation on the database.
///
/// The server's report is kept field by field. No text in it contains a password.
///
/// Source: PostgreSQL manual, appendix A "PostgreSQL Error Codes", and "Error and Notice Message Fields".
public struct PostgresError: Error, Sendable, Equatable {
    /// The kind of failure.
    public enum Kind: Sendable, Equatable {
        /// Connecting failed: nothing listens there, or the server refused the connection.
        case connect
        /// The server refused a statement; the connection remains usable.
        case server
        /// The connection broke. The outcome of a running statement is unknown.
        case connectionLost
        /// The server or libpq violated the protocol; the connection is abandoned.
        case protocolViolation
        /// A call with invalid arguments or in an invalid state.
        case usage
        /// The statement was cancelled by ``PostgresConnection/cancel()`` or with its task.
        case cancelled
    }

    public var kind: Kind
    /// The five characters of SQLSTATE; nil if the error isn't from the server.
    public var sqlState: String?
    /// `ERROR`, `FATAL` or `PANIC`, in English whatever the server's language.
    public var severity: String?
    /// The server's primary message, or one sentence of this library, without a full stop.
    public var message: String
    public var detail: String?
    public var hint: String?
    /// The location of the error; for COPY the table, row and column: `COPY ucp, line 3, column zone_id`.
    public var context: String?
    public var schema: String?
    public var table: String?
    public var column: String?
    public var constraint: String?
    /// Whether a retry can't succeed, for errors without a SQLSTATE that says so.
    var isPermanent = false
    /// Whether COMMIT failed after all previous statements had succeeded, for example because of a deferred
    /// constraint. The server has rolled the transaction back.
    public internal(set) var isOfCommit = false
    /// Whether the connection was lost when the server may have executed COMMIT.
    public internal(set) var mayBeCommitted = false

    init(_ kind: Kind, _ message: String, sqlState: String? = nil) {
        self.kind = kind
        self.message = message
        self.sqlState = sqlState
    }

    /// Whether the connection is lost, so that a new one is needed.
    public var isConnectionLoss: Bool { kind == .connectionLost }

    /// Whether the rows are the cause, not the statement or the server: the same rows would be refused again.
    ///
    /// SQLSTATE class 22 (data exception), 23 (integrity constraint violation), 44 (WITH CHECK OPTION violation), 54
    /// (program limit exceeded, such as an index entry that is too long) and P0001 (raised by a trigger). A trigger
    /// may raise any other SQLSTATE for a single row: see ``mayBeCausedByRow``.
    public var isDataError: Bool {
        guard kind == .server, let sqlState else { return false }
        return ["22", "23", "44", "54"].contains(sqlState.prefix(2)) || sqlState == "P0001"
    }

    /// Whether the statement exceeded `statement_timeout`, or another session cancelled it (SQLSTATE 57014).
    public var isTimeout: Bool { kind == .server && sqlState == "57014" }

    /// Whether a single row may have caused the failure of a COPY: true for all errors except those of the
    /// environment.
    ///
    /// Errors of the environment are: shutdown and cancellation (class 57), system and resource errors (53, 58, F0),
    /// lost connections (08), refused logins (28), read-only and other transaction states (25), serialization failures
    /// and deadlocks (40), locks (55P03, 55006), missing privileges (42501) and a corrupt database (XX001, XX002). An
    /// error of the statement itself, such as a missing column (class 42), counts as one of the environment unless the
    /// server names a line of the COPY.
    public var mayBeCausedByRow: Bool {
        guard kind == .server, let sqlState else { return false }
        if isDataError { return true }
        if isOfEnvironment { return false }
        let isOfStatement = ["0A", "26", "34", "3D", "3F", "42"].contains(sqlState.prefix(2))
        return !isOfStatement || copyContext != nil
    }

    /// Whether the server's environment is the cause, whatever the statement: see ``mayBeCausedByRow``.
    public var isOfEnvironment: Bool {
        guard kind == .server, let sqlState else { return true }
        let states = ["42501", "55P03", "55006", "XX001", "XX002"]
        let classes = ["08", "25", "28", "40", "53", "57", "58", "F0"]
        return states.contains(sqlState) || classes.contains(String(sqlState.prefix(2)))
    }

    /// The line of the context that names the COPY and its current row; nil if there is none.
    ///
    /// It is the last such line, since the server writes the innermost context first.
    private var copyContext: Substring? {
        context?.split(whereSeparator: \.isNewline).last {
            $0.contains("COPY") && $0.contains { $0.isASCII && $0.isNumber }
        }
    }

    /// The row of a COPY at which the server failed, counted from 1; nil if it isn't reported.
    ///
    /// The server writes `COPY ucp, line 3, column zone_id`, translated by `lc_messages`, so the number is the first
    /// one after the table's name.
    ///
    /// - Parameter table: The table's name, which may contain digits.
    public func copyLine(of table: String) -> Int? {
        guard let line = copyContext else { return nil }
        let rest = line.firstRange(of: table).map { line[$0.upperBound...] } ?? line
        let digits = rest.drop { !($0.isASCII && $0.isNumber) }.prefix { $0.isASCII && $0.isNumber }
        return Int(digits)
    }

    /// Whether a retry may succeed, on this connection or another one.
    ///
    /// True for a lost connection, an unreachable server, and SQLSTATE class 08 (connection exception) except 08P01
    /// (protocol violation), 40 (transaction rollback: serialization, deadlock), 53 (insufficient resources: too many
    /// connections, disk full), 55P03 (lock not available), 57P01 to 57P05 (the server shuts down, starts up or closes
    /// idle sessions).
    public var isTransient: Bool {
        if isPermanent { return false }
        guard let sqlState else { return kind == .connectionLost || kind == .connect }
        switch kind {
        case .connectionLost: return true
        case .connect, .server: break
        case .protocolViolation, .usage, .cancelled: return false
        }
        return (sqlState.hasPrefix("08") && sqlState != "08P01") || sqlState.hasPrefix("40")
            || sqlState.hasPrefix("53") || sqlState == "55P03" || sqlState.hasPrefix("57P0")
    }
}

extension PostgresError: CustomStringConvertible {
    public var description: String {
        let what =
            switch kind {
            case .connect: "Cannot connect to Postgres: "
            case .server: "Postgres refused the statement: "
            case .connectionLost: "The connection to Postgres is lost: "
            case .protocolViolation: "Protocol error between Postgres and this program: "
            case .usage: ""
            case .cancelled: "The statement was cancelled: "
            }
        var notes: [String] = []
        if let sqlState { notes.append("SQLSTATE \(sqlState)") }
        if let context, let line = context.split(whereSeparator: \.isNewline).first { notes.append(String(line)) }
        return what + message + (notes.isEmpty ? "" : " (\(notes.joined(separator: "; ")))") + "."
    }
}

/// A warning or other message of the server that isn't an error.
public struct PostgresNotice: Sendable, Equatable {
    /// `WARNING`, `NOTICE`, `INFO`, `LOG` or `DEBUG`, in English.
    public var severity: String
    public var sqlState: String?
    public var message: String
    public var detail: String?
    public var hint: String?
}
