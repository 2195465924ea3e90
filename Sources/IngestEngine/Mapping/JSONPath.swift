import PGWire

/// A path to a value in a JSON message.
///
/// `$` is the whole message, `.name` or `['any name']` a field, and `[3]` an array element, counted from 0. A text
/// that doesn't begin with `$` is the name of a top-level field, whatever characters it contains.
public struct JSONPath: Sendable, Hashable {
    public enum Step: Sendable, Hashable {
        case field(String)
        case element(Int)

        /// Compares names by their bytes, as messages are read. `String` treats an accented letter and its decomposed
        /// form as equal.
        public static func == (left: Step, right: Step) -> Bool {
            switch (left, right) {
            case (.field(let left), .field(let right)): left.utf8.elementsEqual(right.utf8)
            case (.element(let left), .element(let right)): left == right
            case (.field, .element), (.element, .field): false
            }
        }

        public func hash(into hasher: inout Hasher) {
            switch self {
            case .field(let name):
                hasher.combine(0)
                for byte in name.utf8 { hasher.combine(byte) }
            case .element(let index):
                hasher.combine(1)
                hasher.combine(index)
            }
        }
    }

    /// The most steps of a path.
    static let maximumSteps = 32

    public let steps: [Step]

    public init(steps: [Step]) { self.steps = steps }

    /// Parses a path.
    ///
    /// - Throws: `JSONPathError` saying what is wrong with the text.
    public init(_ text: String) throws(JSONPathError) {
        guard text.unicodeScalars.first == "$" else {
            guard !text.isEmpty else { throw JSONPathError("the path is empty; write $ for the whole message") }
            steps = [.field(text)]
            return
        }
        var scanner = Scanner(rest: text.unicodeScalars.dropFirst(), text: text)
        var steps: [Step] = []
        while let step = try scanner.step() {
            guard steps.count < Self.maximumSteps else {
                throw JSONPathError("the path \(text) has more than \(Self.maximumSteps) steps")
            }
            steps.append(step)
        }
        self.steps = steps
    }
}

/// An invalid text of a path.
public struct JSONPathError: Error, Equatable {
    public let message: String

    init(_ message: String) { self.message = message }
}

extension JSONPath: CustomStringConvertible {
    public var description: String {
        steps.reduce(into: "$") { text, step in
            switch step {
            case .field(let name) where name.unicodeScalars.allSatisfy(Scanner.isNameCharacter) && !name.isEmpty:
                text += ".\(name)"
            case .field(let name):
                let escaped = PostgresText.escaping(["\\", "'"], in: name, with: "\\")
                text += "['\(escaped)']"
            case .element(let index): text += "[\(index)]"
            }
        }
    }
}

extension JSONPath {
    private struct Scanner {
        var rest: Substring.UnicodeScalarView
        let text: String

        /// Whether a character may follow a dot in a name. All other names need brackets and quotes.
        static func isNameCharacter(_ scalar: Unicode.Scalar) -> Bool {
            scalar.properties.isAlphabetic || scalar.properties.numericType != nil || scalar == "_" || scalar == "-"
        }

        /// The next step; nil at the end of the text.
        mutating func step() throws(JSONPathError) -> Step? {
            guard let first = rest.popFirst() else { return nil }
            switch first {
            case ".":
                let name = rest.prefix(while: Self.isNameCharacter)
                guard !name.isEmpty else { throw failure("expected a name after the dot") }
                rest = rest[name.endIndex...]
                return .field(String(name))
            case "[":
                let step: Step
                if let quote = rest.first, quote == "'" || quote == "\"" {
                    rest.removeFirst()
                    step = .field(try quotedName(until: quote))
                } else {
                    let digits = rest.prefix { ("0"..."9").contains($0) }
                    rest = rest[digits.endIndex...]
                    guard let index = Int(String(digits)), index <= Int(Int32.max) else {
                        throw failure("expected a number or a quoted name in brackets")
                    }
                    step = .element(index)
                }
                guard rest.popFirst() == "]" else { throw failure("a closing bracket is missing") }
                return step
            default:
                throw failure("unexpected \"\(first)\"; write the name in brackets and quotes: ['name']")
            }
        }

        private mutating func quotedName(until quote: Unicode.Scalar) throws(JSONPathError) -> String {
            var name = ""
            while let scalar = rest.popFirst() {
                if scalar == quote { return name }
                // A backslash escapes the next character.
                if scalar == "\\" {
                    guard let escaped = rest.popFirst() else { break }
                    name.unicodeScalars.append(escaped)
                } else {
                    name.unicodeScalars.append(scalar)
                }
            }
            throw failure("a closing quote is missing")
        }

        private func failure(_ reason: String) -> JSONPathError {
            JSONPathError("\(text) is not a path: \(reason)")
        }
    }
}
