/// An option of a command: `--name value` or `--name=value`, or `TFI_NAME` in the environment.
///
/// It is also the typed key of its value in `ParsedOptions`.
public struct Option<Value: Sendable>: OptionDeclaration {
    public let name: String
    public let placeholder: String?
    public let help: String
    public let defaultText: String?
    public let expectation: String
    public let isRepeated: Bool
    fileprivate let read: @Sendable (String) -> (any Sendable)?
    /// Combines the given values, in order, into the command's value.
    fileprivate let combine: @Sendable ([any Sendable]) -> Value

    public func parse(_ text: String) -> (any Sendable)? { read(text) }
}

extension Option {
    /// An option with a default. If it is given several times, the last value counts.
    public init(
        _ name: String, _ format: ValueFormat<Value>, default defaultValue: Value, placeholder: String? = nil,
        help: String
    ) {
        self.init(
            name: name, placeholder: placeholder ?? format.placeholder, help: help,
            defaultText: format.format(defaultValue), expectation: format.expectation, isRepeated: false,
            read: { format.parse($0) }, combine: { $0.last as? Value ?? defaultValue })
    }

    /// An option without a default; nil if it isn't given.
    public init<Wrapped>(
        optional name: String, _ format: ValueFormat<Wrapped>, placeholder: String? = nil, help: String
    ) where Value == Wrapped? {
        self.init(
            name: name, placeholder: placeholder ?? format.placeholder, help: help, defaultText: nil,
            expectation: format.expectation, isRepeated: false,
            read: { format.parse($0) }, combine: { $0.last as? Wrapped })
    }

    /// An option that may be given any number of times. In the environment it has one value per line.
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
    /// An option without a value: true if it is given. In the environment it is `true` or `false`.
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

/// The properties of an option that the parser and the help text use, independent of its value's type.
public protocol OptionDeclaration: Sendable {
    /// The name without dashes.
    var name: String { get }
    /// The placeholder of the value in the help text; nil for a flag.
    var placeholder: String? { get }
    var help: String { get }
    var defaultText: String? { get }
    /// A description of valid values that follows "expects".
    var expectation: String { get }
    var isRepeated: Bool { get }
    /// The value of a text; nil if it is invalid.
    func parse(_ text: String) -> (any Sendable)?
}

extension OptionDeclaration {
    /// The environment variable that is used if the command line doesn't set the option.
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

    /// Whether the command line or the environment sets the option.
    public func isGiven(_ option: some OptionDeclaration) -> Bool { values[option.name] != nil }

    /// The value of an option without a default that must be set.
    ///
    /// - Throws: A failure with status `usage` if it isn't set.
    public func required<Value>(_ option: Option<Value?>) throws(Failure) -> Value {
        if let value = self[option] { return value }
        throw Failure(
            "--\(option.name) is missing: give it, or \(option.environmentName) in the environment", status: .usage)
    }

    /// Checks that at most one of some options is given.
    ///
    /// - Throws: A failure with status `usage` if several are.
    public func checkExclusive(_ options: any OptionDeclaration...) throws(Failure) {
        let given = options.filter { values[$0.name] != nil }.map { "--\($0.name)" }
        if given.count > 1 {
            throw Failure("\(given.joined(separator: " and ")) exclude each other: give one of them", status: .usage)
        }
    }
}
