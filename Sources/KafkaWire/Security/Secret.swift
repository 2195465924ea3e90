/// A password, key or token: it shows itself to nobody who prints, logs or dumps what it is part of.
public struct Secret: Sendable, ExpressibleByStringLiteral {
    /// The secret itself. Whoever reads it sees to it that it isn't shown.
    public let value: String

    /// From a text that was read at run time. One in the source is a `Secret` by itself, and no secret: only for tests.
    public init(_ value: String) {
        self.value = value
    }

    /// For tests and examples; who can read the source, or the program, can read it.
    public init(stringLiteral value: String) {
        self.init(value)
    }

    /// A text of somebody else's, such as a broker's reason for a refusal, without the secret where it holds it.
    func removed(from text: String) -> String {
        value.isEmpty ? text : text.replacing(value, with: Self.mask)
    }

    static let mask = "[hidden]"
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { Self.mask }
    public var debugDescription: String { Self.mask }
    /// Without children, for `dump` and debuggers.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
