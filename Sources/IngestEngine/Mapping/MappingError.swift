import CommandLineSupport

/// A mistake in a mapping file, with its place, the problem, and what is expected instead.
public struct MappingError: Error, Equatable, CustomStringConvertible {
    public let file: String
    /// The line, from 1.
    public let line: Int
    public let message: String

    init(_ message: String, at position: YAMLPosition, in file: String) {
        self.file = file
        line = position.line
        self.message = message
    }

    /// For example `mapping.yaml:7: there is no setting "colums" in a route; did you mean "columns"?`
    public var description: String { "\(ForeignText.visible(file)):\(line): \(ForeignText.visible(message))" }
}
