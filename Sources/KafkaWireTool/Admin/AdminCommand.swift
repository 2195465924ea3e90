import CommandLineSupport
import KafkaWire

/// A command in an area, such as `create` in `topics`.
struct AdminCommand: Sendable {
    let name: String
    /// The placeholders for its operands in the help text.
    let operands: String
    let abstract: String
    /// Its own options: the name without dashes, the value's placeholder (nil for a flag), and the help text.
    let options: [(name: String, value: String?, help: String)]
    let run: @Sendable (AdminCall) async throws -> Void

    init(
        _ name: String, _ operands: String = "", _ abstract: String,
        options: [(name: String, value: String?, help: String)] = [],
        run: @escaping @Sendable (AdminCall) async throws -> Void
    ) {
        self.name = name
        self.operands = operands
        self.abstract = abstract
        self.options = options
        self.run = run
    }
}

/// The commands for one kind of resource, such as topics.
struct AdminArea: Sendable {
    let name: String
    let abstract: String
    let commands: [AdminCommand]

    static let all = [
        TopicCommands.area, ConfigCommands.area, GroupCommands.area, RecordCommands.area, ClusterCommands.area,
    ]
}

/// One execution of a command: its arguments and the cluster.
struct AdminCall: Sendable {
    /// An argument that is not an option.
    struct Operand: Sendable {
        let text: String
        /// The position on the command line, from 1.
        let position: Int
    }

    let admin: KafkaAdmin
    let isJSON: Bool
    private let given: [Operand]
    private let values: [String: [String]]

    init(admin: KafkaAdmin, given: [Operand], isJSON: Bool, values: [String: [String]]) {
        self.admin = admin
        self.given = given
        self.isJSON = isJSON
        self.values = values
    }

    var operands: [String] { given.map(\.text) }

    /// All values of an option, in command-line order.
    func all(_ option: String) -> [String] { values[option] ?? [] }
    func has(_ option: String) -> Bool { values[option] != nil }
    func last(_ option: String) -> String? { values[option]?.last }

    /// The value of a numeric option.
    func number<Number: FixedWidthInteger>(_ option: String, default number: Number) throws(Failure) -> Number {
        guard let text = last(option) else { return number }
        guard let value = Number(text) else {
            throw Failure("--\(option) expects a number", status: .usage)
        }
        return value
    }

    /// The topic names: at least one, and all valid.
    func topics() throws(Failure) -> [String] {
        guard !given.isEmpty else { throw Failure("at least one topic name is expected", status: .usage) }
        for name in operands { try TopicArguments.check(name) }
        return operands
    }

    /// The group names: at least one, and all valid.
    func groups() throws(Failure) -> [String] {
        guard !given.isEmpty else { throw Failure("at least one group name is expected", status: .usage) }
        for name in operands { try TopicArguments.check(group: name) }
        return operands
    }

    /// The first operand, which must be a group name.
    ///
    /// - Parameter missing: The error's sentence if there are no operands.
    func group(_ missing: String) throws(Failure) -> String {
        guard let name = given.first?.text else { throw Failure(missing, status: .usage) }
        try TopicArguments.check(group: name)
        return name
    }

    /// The operands from an index on, parsed.
    ///
    /// - Parameters:
    ///   - form: The form of each operand, for errors, such as TOPIC:PARTITION.
    ///   - read: Parses an operand; returns nil if it does not have that form.
    func operands<Value>(
        from index: Int = 0, _ form: String, _ read: (String) throws(Failure) -> Value?
    ) throws(Failure) -> [Value] {
        guard given.count > index else { throw Failure("\(form) is missing", status: .usage) }
        var values: [Value] = []
        for operand in given[index...] {
            guard let value = try read(operand.text) else {
                throw Failure(
                    "\(ShownArgument.argument(operand.position)) is not of the form \(form)", status: .usage)
            }
            values.append(value)
        }
        return values
    }

    func noOperands() throws(Failure) {
        if let first = given.first { throw Failure(ShownArgument.unexpected(first.position), status: .usage) }
    }

    /// The name and value of each `NAME=VALUE` given with an option.
    func pairs(_ option: String) throws(Failure) -> [(name: String, value: String)] {
        var pairs: [(name: String, value: String)] = []
        for text in all(option) {
            guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
                throw Failure("--\(option) expects NAME=VALUE", status: .usage)
            }
            pairs.append((String(text[..<equals]), String(text[text.index(after: equals)...])))
        }
        return pairs
    }

    // MARK: Output

    /// Prints lines. Control characters in them are escaped, so that a name from the cluster cannot start a new line.
    ///
    /// Then throws the first of the failures, if there are any, even if the reader of standard output has gone.
    func write(_ lines: [String], failures: [KafkaError] = []) async throws {
        try await print(lines.map { ForeignText.visible($0) + "\n" }.joined(), failures)
    }

    /// Prints a JSON document, in which all strings are escaped already.
    func write(_ json: JSONValue, failures: [KafkaError] = []) async throws {
        try await print(json.text + "\n", failures)
    }

    private func print(_ text: String, _ failures: [KafkaError]) async throws {
        var broken: OutputError?
        do throws(OutputError) { try await Output.standard.write(text) } catch { broken = error }
        try fail(failures)
        if let broken { throw broken }
    }

    /// Prints the outcome of each item, with failures on standard error, and throws if any item failed.
    ///
    /// - Parameter say: Returns the lines to print for an item that succeeded; may be empty.
    func report<Item: Hashable & Comparable, Value>(
        _ outcomes: [Item: Result<Value, KafkaError>], _ say: (Item, Value) -> [String]
    ) async throws {
        var failures: [KafkaError] = []
        var lines: [String] = []
        for (item, outcome) in outcomes.sorted(by: { $0.key < $1.key }) {
            switch outcome {
            case .success(let value): lines += say(item, value)
            case .failure(let error): failures.append(error)
            }
        }
        try await write(lines, failures: failures)
    }

    /// The failures among outcomes, in the order of their items.
    func failures<Item: Hashable & Comparable, Value>(of outcomes: [Item: Result<Value, KafkaError>]) -> [KafkaError] {
        outcomes.sorted { $0.key < $1.key }.compactMap { if case .failure(let error) = $0.value { error } else { nil } }
    }

    /// Throws the first failure after printing the others on standard error.
    func fail(_ failures: [KafkaError]) throws(Failure) {
        guard let first = failures.first else { return }
        for error in failures.dropFirst() { Output.standardError.post(line: "kafkawire: \(error)") }
        throw Failure(first)
    }
}
