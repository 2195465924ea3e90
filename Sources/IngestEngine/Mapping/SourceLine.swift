/// A line of the mapping file, for errors. It is ignored when mappings are compared.
@propertyWrapper
public struct SourceLine: Sendable, Hashable {
    /// The line, from 1; 0 if there is none.
    public var wrappedValue: Int

    public init(wrappedValue: Int) { self.wrappedValue = wrappedValue }

    public static func == (left: SourceLine, right: SourceLine) -> Bool { true }

    public func hash(into hasher: inout Hasher) {}
}
