import CommandLineSupport
import KafkaWire

/// A command of an area, such as `create` of `topics`.
struct AdminCommand: Sendable {
    let name: String
    /// What stands for its operands in the help text.
    let operands: String
    let abstract: String
    /// Its own options: name without dashes, what stands for the value (nil for a flag), and what it does.
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

/// What the commands of one kind of thing are gathered under.
struct AdminArea: Sendable {
    let name: String
    let abstract: String
    let commands: [AdminCommand]

    static let all = [
        TopicCommands.area, ConfigCommands.area, GroupCommands.area, RecordCommands.area, ClusterCommands.area,
    ]
}

/// A command under way: what was given, and the cluster.
struct AdminCall: Sendable {
    /// An argument that is no option.
    struct Operand: Sendable {
        let text: String
        /// On the command line, from 1.
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

    /// All values of an option, in their order.
    func all(_ option: String) -> [String] { values[option] ?? [] }
    func has(_ option: String) -> Bool { values[option] != nil }
    func last(_ option: String) -> String? { values[option]?.last }

    /// The value of an option that is a number.
    func number<Number: FixedWidthInteger>(_ option: String, default number: Number) throws(Failure) -> Number {
        guard let text = last(option) else { return number }
        guard let value = Number(text) else {
            throw Failure("--\(option) expects a number", status: .usage)
        }
        return value
    }

    /// At least one topic's name, each of which brokers may know.
    func topics() throws(Failure) -> [String] {
        guard !given.isEmpty else { throw Failure("a topic's name is missing", status: .usage) }
        for name in operands { try TopicArguments.check(name) }
        return operands
    }

    /// At least one group's name.
    func groups() throws(Failure) -> [String] {
        guard !given.isEmpty else { throw Failure("a group's name is missing", status: .usage) }
        for name in operands { try TopicArguments.check(group: name) }
        return operands
    }

    /// The group that is the first operand.
    ///
    /// - Parameter missing: What to say if nothing is given.
    func group(_ missing: String) throws(Failure) -> String {
        guard let name = given.first?.text else { throw Failure(missing, status: .usage) }
        try TopicArguments.check(group: name)
        return name
    }

    /// The operands from an index on, each read in its form.
    ///
    /// - Parameters:
    ///   - form: What each has to be, such as TOPIC:PARTITION.
    ///   - read: Gives nil for a text that isn't of that form.
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

    /// `name=value` options by name.
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

    /// Prints lines, each escaped for a terminal with its line feeds, so that a name of the cluster's stays on its line.
    ///
    /// The command then ends with the failures, if there are any, even if nobody reads what it prints.
    func write(_ lines: [String], failures: [KafkaError] = []) async throws {
        try await print(lines.map { ForeignText.visible($0) + "\n" }.joined(), failures)
    }

    /// Prints a document, whose strings are escaped already.
    func write(_ json: JSONValue, failures: [KafkaError] = []) async throws {
        try await print(json.text + "\n", failures)
    }

    private func print(_ text: String, _ failures: [KafkaError]) async throws {
        var broken: OutputError?
        do throws(OutputError) { try await Output.standard.write(text) } catch { broken = error }
        try fail(failures)
        if let broken { throw broken }
    }

    /// Prints what became of each item, the failures on standard error, and throws where there is one.
    ///
    /// - Parameter say: The lines for an item that succeeded; none for nothing to say.
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

    /// Ends the command with the first failure, after the others are told.
    func fail(_ failures: [KafkaError]) throws(Failure) {
        guard let first = failures.first else { return }
        for error in failures.dropFirst() { Output.standardError.post(line: "kafkawire: \(error)") }
        throw Failure(first)
    }
}
