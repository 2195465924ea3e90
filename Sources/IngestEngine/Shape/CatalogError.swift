import PGWire

/// Why a table can't be written to: it doesn't exist, or it is something that takes no rows.
public struct CatalogError: Error, Sendable, Equatable, CustomStringConvertible {
    /// One sentence without a full stop, for example `there is no table "ucpp" in the schema "workshop"; did you mean
    /// "ucp"?`
    public let message: String

    init(_ message: String) { self.message = message }

    public var description: String { message }
}
