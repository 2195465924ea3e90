/// What a program tells its caller when it ends. The numbers are those of sysexits(3).
public enum ExitStatus: Int32, Sendable, CaseIterable {
    case success = 0
    /// The command line or the environment is wrong (EX_USAGE).
    case usage = 64
    /// An input file holds something that it must not (EX_DATAERR).
    case badData = 65
    /// An input file is missing or can't be read (EX_NOINPUT).
    case noInput = 66
    /// A broker or database can't be reached, or refuses (EX_UNAVAILABLE).
    case unavailable = 69
    /// A mistake in the program (EX_SOFTWARE).
    case internalError = 70
    /// Something that has to be made can't be (EX_CANTCREAT).
    case cannotCreate = 73
    /// Reading or writing failed under way (EX_IOERR).
    case ioError = 74
    /// Somebody else does the same work (EX_TEMPFAIL).
    case conflict = 75
    /// What is there doesn't fit: no such topic or table, a topic that isn't the one read before (EX_CONFIG).
    case configuration = 78

    /// What it means, as in the help text.
    public var meaning: String {
        switch self {
        case .success: "all done, also after SIGINT or SIGTERM"
        case .usage: "a wrong option, value or command"
        case .badData: "an input file holds something that it must not"
        case .noInput: "an input file is missing or can't be read"
        case .unavailable: "a broker or the database can't be reached, or refuses"
        case .internalError: "a mistake in this program"
        case .cannotCreate: "something that has to be made can't be"
        case .ioError: "reading or writing failed"
        case .conflict: "another consumer of the same group is at work"
        case .configuration: "a topic or table is missing, or isn't the one expected"
        }
    }
}

/// The end of a command that can't do what it was asked: one sentence for the user, and the status to exit with.
public struct Failure: Error, Equatable, CustomStringConvertible {
    /// What is wrong and what to do about it. No secrets, no full stop.
    public let sentence: String
    public let status: ExitStatus
    /// Where to read more, on a line of its own.
    public var hint: String?
    /// Whether a log has it already, so that nothing more is to be said.
    public var isLogged = false
    /// Whether something is missing that may come without a change of the command.
    public var isOfAbsence = false

    public init(_ sentence: String, status: ExitStatus, hint: String? = nil) {
        self.sentence = sentence
        self.status = status
        self.hint = hint
    }

    public var description: String { sentence }
}
