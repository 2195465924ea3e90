/// A line of the mapping's file, for errors. It isn't part of what a mapping means: two mappings that differ in their
/// lines only are equal.
@propertyWrapper
public struct SourceLine: Sendable, Hashable {
    /// Counts from 1; 0 without a file.
    public var wrappedValue: Int

    public init(wrappedValue: Int) { self.wrappedValue = wrappedValue }

    public static func == (left: SourceLine, right: SourceLine) -> Bool { true }

    public func hash(into hasher: inout Hasher) {}
}
