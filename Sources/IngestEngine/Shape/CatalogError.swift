import PGWire

/// The reason why a table can't be written to: it doesn't exist, or its kind accepts no rows.
public struct CatalogError: Error, Sendable, Equatable, CustomStringConvertible {
    /// One sentence without a full stop, for example `there is no table "ucpp" in the schema "workshop"; did you mean
    /// "ucp"?`
    public let message: String

    /// Whether nothing has this name.
    let isOfAbsence: Bool

    init(_ message: String, isOfAbsence: Bool = false) {
        self.message = message
        self.isOfAbsence = isOfAbsence
    }

    public var description: String { message }
}
