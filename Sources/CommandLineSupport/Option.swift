/// An option of a command, `--name value` or `--name=value`, and `TFI_NAME` in the environment.
///
/// It is also the key under which `ParsedOptions` gives the value, with the value's type.
public struct Option<Value: Sendable>: OptionDeclaration {
    public let name: String
    public let placeholder: String?
    public let help: String
    public let defaultText: String?
    public let expectation: String
    public let isRepeated: Bool
    fileprivate let read: @Sendable (String) -> (any Sendable)?
    /// From the values given, in their order, to the one that the command sees.
    fileprivate let combine: @Sendable ([any Sendable]) -> Value

    public func parse(_ text: String) -> (any Sendable)? { read(text) }
}

extension Option {
    /// An option with a default. Where it is given several times, the last counts.
    public init(
        _ name: String, _ format: ValueFormat<Value>, default defaultValue: Value, placeholder: String? = nil,
        help: String
    ) {
        self.init(
            name: name, placeholder: placeholder ?? format.placeholder, help: help,
            defaultText: format.format(defaultValue), expectation: format.expectation, isRepeated: false,
            read: { format.parse($0) }, combine: { $0.last as? Value ?? defaultValue })
    }

    /// An option that may be left out, and is nil then.
    public init<Wrapped>(
        optional name: String, _ format: ValueFormat<Wrapped>, placeholder: String? = nil, help: String
    ) where Value == Wrapped? {
        self.init(
            name: name, placeholder: placeholder ?? format.placeholder, help: help, defaultText: nil,
            expectation: format.expectation, isRepeated: false,
            read: { format.parse($0) }, combine: { $0.last as? Wrapped })
    }

    /// An option that may be given any number of times. In the environment its values stand one a line.
    public init<Element>(
        repeated name: String, _ format: ValueFormat<Element>, placeholder: String? = nil, help: String
    ) where Value == [Element] {
        self.init(
            name: name, placeholder: placeholder ?? format.placeholder, help: help, defaultText: nil,
            expectation: format.expectation, isRepeated: true,
            read: { format.parse($0) }, combine: { $0.compactMap { $0 as? Element } })
    }
}

extension Option<Bool> {
    /// An option without a value: true where it is given. In the environment it is `true` or `false`.
    public init(flag name: String, help: String) {
        self.init(
            name: name, placeholder: nil, help: help, defaultText: nil, expectation: "true or false",
            isRepeated: false,
            read: { text in
                switch text.lowercased() {
                case "true", "yes", "on", "1": true
                case "false", "no", "off", "0": false
                default: nil
                }
            },
            combine: { $0.last as? Bool ?? false })
    }
}

/// What parser and help text need of an option, whatever its value's type.
public protocol OptionDeclaration: Sendable {
    /// Without the dashes.
    var name: String { get }
    /// What stands for the value in the help text, or nil for a flag.
    var placeholder: String? { get }
    var help: String { get }
    var defaultText: String? { get }
    /// What a value has to be, to follow "expects".
    var expectation: String { get }
    var isRepeated: Bool { get }
    /// The value, or nil where the text isn't one.
    func parse(_ text: String) -> (any Sendable)?
}

extension OptionDeclaration {
    /// The variable that gives the value where the command line doesn't.
    public var environmentName: String {
        "TFI_" + name.uppercased().replacing("-", with: "_")
    }
}

/// The values of a command's options.
public struct ParsedOptions: Sendable {
    var values: [String: [any Sendable]] = [:]

    /// The option's value, or its default.
    public subscript<Value>(option: Option<Value>) -> Value {
        option.combine(values[option.name] ?? [])
    }

    /// Whether the command line or the environment gives the option.
    public func isGiven(_ option: some OptionDeclaration) -> Bool { values[option.name] != nil }

    /// The value of an option that has no default but must be there.
    public func required<Value>(_ option: Option<Value?>) throws(Failure) -> Value {
        if let value = self[option] { return value }
        throw Failure(
            "--\(option.name) is missing: give it, or \(option.environmentName) in the environment", status: .usage)
    }

    /// Refuses two options of which each rules out the other.
    public func checkExclusive(_ options: any OptionDeclaration...) throws(Failure) {
        let given = options.filter { values[$0.name] != nil }.map { "--\($0.name)" }
        if given.count > 1 {
            throw Failure("\(given.joined(separator: " and ")) exclude each other: give one of them", status: .usage)
        }
    }
}
