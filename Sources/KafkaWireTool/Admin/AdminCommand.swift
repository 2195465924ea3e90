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
    let admin: KafkaAdmin
    let operands: [String]
    let isJSON: Bool
    fileprivate let values: [String: [String]]

    init(admin: KafkaAdmin, operands: [String], isJSON: Bool, values: [String: [String]]) {
        self.admin = admin
        self.operands = operands
        self.isJSON = isJSON
        self.values = values
    }

    /// All values of an option, in their order.
    func all(_ option: String) -> [String] { values[option] ?? [] }
    func has(_ option: String) -> Bool { values[option] != nil }
    func last(_ option: String) -> String? { values[option]?.last }

    /// The value of an option that is a number.
    func number<Number: FixedWidthInteger>(_ option: String, default number: Number) throws(Failure) -> Number {
        guard let text = last(option) else { return number }
        guard let value = Number(text) else {
            throw Failure("--\(option) expects a number, not \(shownArgument(text))", status: .usage)
        }
        return value
    }

    /// At least one operand.
    func someOperands(_ what: String) throws(Failure) -> [String] {
        guard !operands.isEmpty else { throw Failure("\(what) is missing", status: .usage) }
        return operands
    }

    func noOperands() throws(Failure) {
        if let operand = operands.first { throw Failure("\(shownArgument(operand)) is unexpected", status: .usage) }
    }

    /// `name=value` options by name.
    func pairs(_ option: String) throws(Failure) -> [(name: String, value: String)] {
        var pairs: [(name: String, value: String)] = []
        for text in all(option) {
            guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
                throw Failure("--\(option) expects NAME=VALUE, not \(shownArgument(text))", status: .usage)
            }
            pairs.append((String(text[..<equals]), String(text[text.index(after: equals)...])))
        }
        return pairs
    }

    // MARK: Output

    func write(_ text: String) async throws { try await Output.standard.write(text) }
    func write(_ json: JSONValue) async throws { try await Output.standard.write(json.text + "\n") }

    /// Prints, and ends the command with the failures where there are any: also where nobody reads what is printed.
    func write(_ text: String, failures: [KafkaError]) async throws {
        var broken: OutputError?
        do throws(OutputError) { try await Output.standard.write(text) } catch { broken = error }
        try fail(failures)
        if let broken { throw broken }
    }

    func write(_ json: JSONValue, failures: [KafkaError]) async throws {
        try await write(json.text + "\n", failures: failures)
    }

    /// Prints what became of each item, the failures on standard error, and throws where there is one.
    ///
    /// - Parameter say: The line for an item that succeeded; nil for none.
    func report<Item: Hashable & Comparable, Value>(
        _ outcomes: [Item: Result<Value, KafkaError>], _ say: (Item, Value) -> String?
    ) async throws {
        var failures: [KafkaError] = []
        var text = ""
        for (item, outcome) in outcomes.sorted(by: { $0.key < $1.key }) {
            switch outcome {
            case .success(let value): if let line = say(item, value) { text += ForeignText.visible(line) + "\n" }
            case .failure(let error): failures.append(error)
            }
        }
        try await write(text, failures: failures)
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
