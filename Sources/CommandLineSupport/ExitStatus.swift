/// The exit status of a program. The numbers are those of sysexits(3).
public enum ExitStatus: Int32, Sendable, CaseIterable {
    case success = 0
    /// The command line or the environment is wrong (EX_USAGE).
    case usage = 64
    /// An input file has invalid content (EX_DATAERR).
    case badData = 65
    /// An input file is missing or can't be read (EX_NOINPUT).
    case noInput = 66
    /// A broker or database is unreachable or refuses the request (EX_UNAVAILABLE).
    case unavailable = 69
    /// A bug in the program (EX_SOFTWARE).
    case internalError = 70
    /// Something can't be created (EX_CANTCREAT).
    case cannotCreate = 73
    /// Reading or writing failed midway (EX_IOERR).
    case ioError = 74
    /// Another process does the same work (EX_TEMPFAIL).
    case conflict = 75
    /// The existing setup doesn't fit: a missing topic or table, or a recreated topic (EX_CONFIG).
    case configuration = 78

    /// The meaning of the status in help texts.
    public var meaning: String {
        switch self {
        case .success: "success, also after SIGINT or SIGTERM"
        case .usage: "an invalid option, value or command"
        case .badData: "an input file has invalid content"
        case .noInput: "an input file is missing or can't be read"
        case .unavailable: "a broker or the database is unreachable or refuses the request"
        case .internalError: "a bug in this program"
        case .cannotCreate: "something can't be created"
        case .ioError: "reading or writing failed"
        case .conflict: "another consumer of the same group is active"
        case .configuration: "a topic or table is missing, or isn't the one expected"
        }
    }
}

/// The failure of a command: one sentence for the user, and the exit status.
public struct Failure: Error, Equatable, CustomStringConvertible {
    /// The problem and its solution. Contains no secrets and no final full stop.
    public let sentence: String
    public let status: ExitStatus
    /// A reference to further information, printed on a line of its own.
    public var hint: String?
    /// Whether it was logged already, so that it isn't printed again.
    public var isLogged = false
    /// Whether something is missing that may be created later, without a change of the command.
    public var isOfAbsence = false

    public init(_ sentence: String, status: ExitStatus, hint: String? = nil) {
        self.sentence = sentence
        self.status = status
        self.hint = hint
    }

    public var description: String { sentence }
}
