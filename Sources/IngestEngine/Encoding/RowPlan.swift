/// How a record becomes one row: the columns of the COPY statement, in its order, and where their values come from.
///
/// Made by binding a route to a table. Columns that the database fills itself (no source, generated, or left to a
/// default) aren't in it.
public struct RowPlan: Sendable, Equatable {
    public var columns: [Column]
    /// What to do with top-level fields that no column's path begins with. Means nothing if a column takes the rest.
    public var unknownFields: Mapping.UnknownFields

    public init(columns: [Column], unknownFields: Mapping.UnknownFields = .ignore) {
        self.columns = columns
        self.unknownFields = unknownFields
    }

    public struct Column: Sendable, Equatable {
        /// As the catalog spells it.
        public var name: String
        public var type: ColumnType
        public var source: Route.Source
        /// Whether null makes a record a dead letter before the database sees it. A trigger that fills the column
        /// is a reason to say false although the column is NOT NULL.
        public var isNotNull: Bool
        /// Nil for every form that the database's own input takes. Otherwise only this form is accepted.
        public var format: TimeFormat?
        /// The IANA name of the zone of times without an offset; nil for UTC. With a zone, and no format, the format
        /// is ISO 8601.
        ///
        /// A `timestamptz` column gets the instant. A `timestamp`, `date` or `time` column gets the zone's local
        /// time; a text without an offset says it already.
        public var zone: String?
        /// How a text stands for bytes; nil for the database's own input of `bytea`. Only for `bytea`.
        public var bytes: ByteFormat?
        /// The value of a missing field or null, as text for the column's type.
        public var defaultText: String?

        public init(
            name: String, type: ColumnType, source: Route.Source, isNotNull: Bool = false, format: TimeFormat? = nil,
            zone: String? = nil, bytes: ByteFormat? = nil, defaultText: String? = nil
        ) {
            self.name = name
            self.type = type
            self.source = source
            self.isNotNull = isNotNull
            self.format = format
            self.zone = zone
            self.bytes = bytes
            self.defaultText = defaultText
        }
    }
}

/// How a message writes bytes as text.
public enum ByteFormat: String, Sendable, Hashable, CaseIterable {
    /// RFC 4648, with or without padding.
    case base64
    /// Two hexadecimal digits for each byte, without a prefix.
    case hex
}

/// Why a plan can't be used: a column's zone or default.
public struct RowPlanError: Error, Equatable {
    /// The column's name.
    public let column: String
    public let message: String

    init(_ message: String, column: String) {
        self.message = message
        self.column = column
    }
}
