import PGWire

/// Why a table can't be written to: it doesn't exist, or it is something that takes no rows.
public struct CatalogError: Error, Sendable, Equatable, CustomStringConvertible {
    /// One sentence without a full stop, for example `there is no table "ucpp" in the schema "workshop"; did you mean
    /// "ucp"?`
    public let message: String

    /// Whether there is nothing of the name.
    let isOfAbsence: Bool

    init(_ message: String, isOfAbsence: Bool = false) {
        self.message = message
        self.isOfAbsence = isOfAbsence
    }

    public var description: String { message }
}
