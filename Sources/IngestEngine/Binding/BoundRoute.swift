import PGWire

/// A route with its table: everything needed to write its rows.
public struct BoundRoute: Sendable, Equatable {
    public var route: Route
    public var table: TableShape
    /// The columns of the COPY, in order.
    public var plan: RowPlan
    public var mode: Mode
    /// Columns that the route doesn't name, which get their default in the database. For a log line.
    public var leftToDefault: [String]

    public enum Mode: Sendable, Equatable {
        case append
        /// Replaces the row with the same key.
        ///
        /// - Parameters:
        ///   - key: The columns of `ON CONFLICT (…)`, those of a unique index.
        ///   - tombstone: What to do with a record without a value.
        case upsert(key: [String], tombstone: Tombstone)
        case ignore(key: [String])

        /// The key columns; empty for `append`.
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

    /// How a tombstone's key columns get their values.
    ///
    /// Columns that read headers or the record's key, topic or partition do so as usual. The other columns' paths are
    /// looked up in the record's key if that is a JSON object. If it isn't, and exactly one column has a path, that
    /// column gets the key's text. A tombstone that leaves a key column without a value is a dead letter.
    public struct TombstoneKey: Sendable, Equatable {
        /// The key columns in the plan's order, with the plan's settings.
        public var columns: [RowPlan.Column]
        /// The column that gets the text of a key that isn't a JSON object; nil if several columns have a path.
        public var textColumn: String?

        public init(columns: [RowPlan.Column], textColumn: String? = nil) {
            self.columns = columns
            self.textColumn = textColumn
        }
    }
}
