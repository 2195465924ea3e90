/// How a record becomes a row: the columns of the COPY, in order, and their sources.
///
/// Made by binding a route to a table. Omits columns that the database fills itself: those without a source, generated
/// columns, and columns left to their default.
public struct RowPlan: Sendable, Equatable {
    public var columns: [Column]
    /// How to handle top-level fields that no column's path begins with. Ignored if a column's source is `rest`.
    public var unknownFields: Mapping.UnknownFields

    public init(columns: [Column], unknownFields: Mapping.UnknownFields = .ignore) {
        self.columns = columns
        self.unknownFields = unknownFields
    }

    public struct Column: Sendable, Equatable {
        /// The name as in the catalog.
        public var name: String
        public var type: ColumnType
        public var source: Route.Source
        /// Whether a null makes the record a dead letter before it is sent. May be false for a NOT NULL column that a
        /// trigger fills.
        public var isNotNull: Bool
        /// The only accepted format; nil for every form that the type's input function accepts.
        public var format: TimeFormat?
        /// The IANA name of the zone for times without an offset; nil for UTC. If there is a zone but no format, the
        /// format is ISO 8601.
        ///
        /// A `timestamptz` column gets the instant. A `timestamp`, `date` or `time` column gets the zone's local time,
        /// which is the text itself if it has no offset.
        public var zone: String?
        /// How text encodes bytes; nil for the input format of `bytea`. Only for `bytea`.
        public var bytes: ByteFormat?
        /// The value for a field that is missing or null, as text of the column's type.
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

/// How a message encodes bytes as text.
public enum ByteFormat: String, Sendable, Hashable, CaseIterable {
    /// RFC 4648, with or without padding.
    case base64
    /// Two hexadecimal digits per byte, without a prefix.
    case hex
}

/// A plan that can't be used because of a column's zone or default.
public struct RowPlanError: Error, Equatable {
    /// The column's name.
    public let column: String
    public let message: String

    init(_ message: String, column: String) {
        self.message = message
        self.column = column
    }
}
