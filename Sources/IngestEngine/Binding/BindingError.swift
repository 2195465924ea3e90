import CommandLineSupport

/// A route that does not fit its table, with its place in the mapping, the mismatch, and a proposal that would fit.
public struct BindingError: Error, Equatable, CustomStringConvertible {
    /// The mapping's file; empty if the route comes from the command line.
    public let file: String
    /// The line, from 1; 0 if unknown.
    public let line: Int
    public let message: String

    /// Whether the table is missing and may still be created.
    public let isOfAbsence: Bool

    init(_ message: String, file: String, line: Int, isOfAbsence: Bool = false) {
        self.file = file
        self.line = line
        self.message = message
        self.isOfAbsence = isOfAbsence
    }

    /// For example `mapping.yaml:7: route to workshop.ucp: the table has no column "zoneid"; did you mean "zone_id"?`
    public var description: String {
        let place = line > 0 ? "\(ForeignText.visible(file)):\(line)" : file.isEmpty ? "--table" : file
        return "\(place): \(ForeignText.visible(message))"
    }
}
