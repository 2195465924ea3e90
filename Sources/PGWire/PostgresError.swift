/// Why something with the database failed.
///
/// What the server said is kept field by field. No text in it holds a password.
///
/// Source: PostgreSQL manual, appendix A "PostgreSQL Error Codes", and "Error and Notice Message Fields".
public struct PostgresError: Error, Sendable, Equatable {
    /// What kind of failure it is.
    public enum Kind: Sendable, Equatable {
        /// No connection came to be: nothing listens there, or the server refused it.
        case connect
        /// The server refused a statement; the connection stays usable.
        case server
        /// The connection broke. What the server did with a statement under way isn't known.
        case connectionLost
        /// The server or libpq did what the protocol doesn't allow; the connection is given up.
        case protocolViolation
        /// A call with arguments, or at a moment, that can't work.
        case usage
        /// The statement was cancelled by ``PostgresConnection/cancel()`` or with its task.
        case cancelled
    }

    public var kind: Kind
    /// The five characters of SQLSTATE, where the error came from the server.
    public var sqlState: String?
    /// `ERROR`, `FATAL` or `PANIC`, in English whatever the server's language is.
    public var severity: String?
    /// The server's primary text, or one sentence of ours, without a full stop.
    public var message: String
    public var detail: String?
    public var hint: String?
    /// Where in its work the server was; for COPY the table, row and column: `COPY ucp, line 3, column zone_id`.
    public var context: String?
    public var schema: String?
    public var table: String?
    public var column: String?
    public var constraint: String?
    /// Whether the same attempt can't work later either, although there is no SQLSTATE to tell so.
    var isPermanent = false

    init(_ kind: Kind, _ message: String, sqlState: String? = nil) {
        self.kind = kind
        self.message = message
        self.sqlState = sqlState
    }

    /// Whether the connection is gone, so that only another one helps.
    public var isConnectionLoss: Bool { kind == .connectionLost }

    /// Whether the rows are to blame, not the statement or the server: the same rows would be refused again.
    ///
    /// SQLSTATE class 22 (data exception), 23 (integrity constraint violation), 44 (WITH CHECK OPTION violation),
    /// 54 (program limit exceeded, such as an index entry that is too long) and P0001 (raised by a trigger).
    public var isDataError: Bool {
        guard kind == .server, let sqlState else { return false }
        return ["22", "23", "44", "54"].contains(sqlState.prefix(2)) || sqlState == "P0001"
    }

    /// Whether the same attempt may succeed later, on this connection or another one.
    ///
    /// A lost connection; a server that can't be reached; SQLSTATE class 08 (connection exception) but for 08P01
    /// (protocol violation), 40 (transaction rollback: serialization, deadlock), 53 (insufficient resources: too
    /// many connections, disk full), 55P03 (lock not available), 57P01 to 57P05 (the server shuts down, starts up
    /// or closes what is idle).
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
            case .connect: "Postgres can't be connected to: "
            case .server: "Postgres refused the statement: "
            case .connectionLost: "The connection to Postgres is lost: "
            case .protocolViolation: "Postgres and this program don't understand each other: "
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
