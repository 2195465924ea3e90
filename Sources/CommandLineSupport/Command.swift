/// A command of a program.
public struct Command: Sendable {
    public let name: String
    /// The purpose of the command in one line.
    public let abstract: String
    /// Further paragraphs, each wrapped to the width of the help text.
    public let discussion: [String]
    public let options: [any OptionDeclaration]
    /// The possible exit statuses, for the help text.
    public let statuses: [ExitStatus]
    public let run: @Sendable (ParsedOptions) async throws -> Void

    public init(
        name: String, abstract: String, discussion: [String] = [], options: [any OptionDeclaration],
        statuses: [ExitStatus] = [.success, .usage, .unavailable, .configuration],
        run: @escaping @Sendable (ParsedOptions) async throws -> Void
    ) {
        self.name = name
        self.abstract = abstract
        self.discussion = discussion
        self.options = options
        self.statuses = statuses
        self.run = run
    }
}

/// A program with commands.
public struct Program: Sendable {
    public let name: String
    public let version: String
    public let abstract: String
    public let commands: [Command]

    public init(name: String, version: String, abstract: String, commands: [Command]) {
        self.name = name
        self.version = version
        self.abstract = abstract
        self.commands = commands
    }

    /// The action that a command line requests.
    public enum Request: Sendable {
        /// Print a text to standard output: help or the version.
        case text(String)
        case run(Command, ParsedOptions)
    }

    /// Parses a command line.
    ///
    /// - Parameters:
    ///   - arguments: The arguments without the program's name.
    ///   - environment: Provides `TFI_…` values for options that the arguments don't set.
    /// - Throws: A failure with status `usage` that says what is wrong and refers to the help text.
    public func parse(_ arguments: [String], environment: [String: String]) throws(Failure) -> Request {
        guard let first = arguments.first else {
            throw usageFailure("a command is missing: one of \(commandNames)")
        }
        switch first {
        case "--help", "-h", "help":
            guard arguments.count > 1, first == "help" else { return .text(helpText) }
            return .text(helpText(of: try command(named: arguments.dropFirst()).command))
        case "--version":
            return .text("\(name) \(version)\n")
        default:
            let (command, rest) = try command(named: arguments[...])
            if rest.contains("--help") || rest.contains("-h") { return .text(helpText(of: command)) }
            let parser = OptionParser(options: command.options)
            do throws(Failure) {
                return .run(command, try parser.parse(rest, environment: environment))
            } catch {
                throw withHint(error, command: command)
            }
        }
    }

    /// Adds a reference to the command's help to a usage failure.
    func withHint(_ failure: Failure, command: Command) -> Failure {
        guard failure.status == .usage, failure.hint == nil, !failure.isLogged else { return failure }
        return Failure(failure.sentence, status: failure.status, hint: "see '\(name) \(command.name) --help'")
    }

    private var commandNames: String { commands.map(\.name).joined(separator: ", ") }

    private func usageFailure(_ sentence: String) -> Failure {
        Failure(sentence, status: .usage, hint: "see '\(name) --help'")
    }

    /// The command at the start of the arguments, and the remaining arguments. A command's name may have two words.
    private func command(
        named arguments: ArraySlice<String>
    ) throws(Failure) -> (command: Command, rest: ArraySlice<String>) {
        let wanted = arguments.first ?? ""
        if let command = commands.first(where: { $0.name == wanted }) { return (command, arguments.dropFirst()) }
        let group = commands.filter { $0.name.hasPrefix(wanted + " ") }
        if !group.isEmpty {
            let second = arguments.dropFirst().first ?? ""
            if let command = group.first(where: { $0.name == "\(wanted) \(second)" }) {
                return (command, arguments.dropFirst(2))
            }
            let words = group.map { $0.name.dropFirst(wanted.count + 1) }
            throw usageFailure("\(wanted) must be followed by one of \(words.joined(separator: ", "))")
        }
        if wanted.hasPrefix("-") {
            throw usageFailure("the command must come first, before options: one of \(commandNames)")
        }
        // The argument itself isn't shown, since it may be a misplaced secret.
        if let nearest = nearestName(to: wanted, among: commands.map(\.name)) {
            throw usageFailure("the first argument is not a command; did you mean '\(nearest)'?")
        }
        throw usageFailure("the first argument is not a command; use one of \(commandNames)")
    }
}
