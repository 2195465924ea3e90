import PGWire

/// A route and the table that it fits: everything that writing its rows needs.
public struct BoundRoute: Sendable, Equatable {
    public var route: Route
    public var table: TableShape
    /// The columns of COPY, in its order.
    public var plan: RowPlan
    public var mode: Mode
    /// Columns that the database fills by their defaults, since the route doesn't name them. For a line in the log.
    public var leftToDefault: [String]

    public enum Mode: Sendable, Equatable {
        case append
        /// - Parameters:
        ///   - key: The columns of `ON CONFLICT (…)`, those of a unique index.
        ///   - tombstone: What a record without a value means.
        case upsert(key: [String], tombstone: Tombstone)
        case ignore(key: [String])

        /// The key's columns; none for `append`.
        var key: [String] {
            switch self {
            case .append: []
            case .upsert(let key, _), .ignore(let key): key
            }
        }
    }

    public enum Tombstone: Sendable, Equatable {
        case delete(TombstoneKey)
        case ignore
        case deadLetter
    }

    /// Where the key's columns come from if a record has no value.
    ///
    /// Columns of headers, the record's key, topic or partition have their usual source. The paths of the others are
    /// looked up in the record's key if that is a JSON object. If it isn't, and exactly one column has a path, the
    /// key's text is that column's value. A tombstone that lacks one of the columns this way is a dead letter.
    public struct TombstoneKey: Sendable, Equatable {
        /// The key's columns in the plan's order, with the plan's settings.
        public var columns: [RowPlan.Column]
        /// The column whose value is the text of a key that isn't a JSON object; nil if several columns have a path.
        public var textColumn: String?

        public init(columns: [RowPlan.Column], textColumn: String? = nil) {
            self.columns = columns
            self.textColumn = textColumn
        }
    }
}
