import PGWire

/// Maps messages to rows of tables, and says how to handle all others.
public struct Mapping: Sendable, Equatable {
    /// The routes in order of precedence: the first one that selects a record takes it.
    public var routes: [Route]
    /// How to handle fields that no column reads; ignored by default.
    public var unknownFields: UnknownFields
    /// How to handle records that no route selects; dead letters by default.
    public var unrouted: Unrouted
    public var deadLetterLimit: DeadLetterLimit
    /// How to handle a partition that can no longer be read, because its topic was recreated or its offset no longer
    /// exists. By default the other partitions continue.
    public var partitionErrors: PartitionErrors

    public init(
        routes: [Route], unknownFields: UnknownFields = .ignore, unrouted: Unrouted = .deadLetter,
        deadLetterLimit: DeadLetterLimit = DeadLetterLimit(), partitionErrors: PartitionErrors = .continue
    ) {
        self.routes = routes
        self.unknownFields = unknownFields
        self.unrouted = unrouted
        self.deadLetterLimit = deadLetterLimit
        self.partitionErrors = partitionErrors
    }

    public enum UnknownFields: String, Sendable, CaseIterable {
        case ignore
        case deadLetter = "dead_letter"
    }

    public enum Unrouted: String, Sendable, CaseIterable {
        case deadLetter = "dead_letter"
        case ignore
    }

    public enum PartitionErrors: String, Sendable, CaseIterable {
        case `continue`
        case stop
    }

    /// The number of dead letters from which on the table or the mapping is assumed to be wrong, not the messages.
    /// Consumption then stops.
    public struct DeadLetterLimit: Sendable, Equatable {
        /// The largest share of dead letters among consecutive records, above 0 and at most 1.
        public var share: Double
        /// The number of consecutive records for `share`.
        public var of: Int
        /// The most dead letters in one run.
        public var total: Int

        public init(share: Double = 0.5, of: Int = 1000, total: Int = 10_000) {
            self.share = share
            self.of = of
            self.total = total
        }
    }
}

/// Selects records of a topic, and says which table they go to and how a record becomes a row.
public struct Route: Sendable, Equatable {
    public var topic: TopicSelector
    /// The conditions, all of which must hold.
    public var conditions: [Condition]
    public var table: TableName
    /// The columns and their sources; nil to match fields and columns by name.
    public var columns: [Column]?
    public var mode: Mode
    /// The compression that the application applies to a record's value, in addition to Kafka's.
    public var decompression: Decompression?
    /// The field with the message as JSON text; nil if the value is the message.
    public var json: JSONPath?
    /// The array whose elements become one row each; nil for one row per message. Columns then address the element.
    public var each: JSONPath?
    /// The line in the mapping file; 0 if there is none. Ignored when routes are compared.
    @SourceLine public var line: Int

    public init(
        topic: TopicSelector, conditions: [Condition] = [], table: TableName, columns: [Column]? = nil,
        mode: Mode = .append, decompression: Decompression? = nil, json: JSONPath? = nil, each: JSONPath? = nil,
        line: Int = 0
    ) {
        self.topic = topic
        self.conditions = conditions
        self.table = table
        self.columns = columns
        self.mode = mode
        self.decompression = decompression
        self.json = json
        self.each = each
        self.line = line
    }

    /// A condition that a record must meet for a route to select it.
    public enum Condition: Sendable, Hashable {
        case key(String)
        case header(String, String)
        /// Compares a string after resolving its escapes; a number, `true` or `false` as written.
        case field(JSONPath, String)
    }

    public enum Mode: Sendable, Hashable {
        /// Inserts a new row for each record.
        case append
        /// Replaces the row with the same key.
        ///
        /// - Parameters:
        ///   - key: The key columns; nil for the table's primary key.
        ///   - tombstone: How to handle a record without a value.
        case upsert(key: [String]?, tombstone: Tombstone)
        /// Skips a record if a row with its key exists. A nil key is the table's primary key.
        case ignore(key: [String]?)
    }

    public enum Tombstone: String, Sendable, CaseIterable {
        case delete
        case ignore
        case deadLetter = "dead_letter"
    }

    public enum Decompression: String, Sendable, CaseIterable {
        case gzip, zstd, lz4, snappy
    }

    /// A column of the table and its source.
    public struct Column: Sendable, Equatable {
        public var name: String
        public var source: Source
        public var format: TimeFormat?
        /// How text encodes the bytes of a `bytea` column; nil for the type's input format.
        public var bytes: ByteFormat?
        /// The IANA name of the time zone for times without an offset; nil for UTC.
        public var zone: String?
        /// The value for a field that is missing or null, as text of the column's type.
        public var defaultValue: String?
        /// The line in the mapping file; 0 if there is none. Ignored when columns are compared.
        @SourceLine public var line: Int

        public init(
            name: String, source: Source, format: TimeFormat? = nil, bytes: ByteFormat? = nil, zone: String? = nil,
            defaultValue: String? = nil, line: Int = 0
        ) {
            self.name = name
            self.source = source
            self.format = format
            self.bytes = bytes
            self.zone = zone
            self.defaultValue = defaultValue
            self.line = line
        }
    }

    public enum Source: Sendable, Hashable {
        case path(JSONPath)
        /// The last header with this name.
        case header(String)
        case record(RecordField)
        /// An object of all top-level fields that no column reads.
        case rest
        /// A path in the message that contains the array of `each`. All other paths address one element.
        case message(JSONPath)
        /// A path in the record's value, which contains the text of `json`. All other paths address the message in
        /// that text.
        case envelope(JSONPath)
    }

    /// The metadata of a record in Kafka, and its key and value.
    public enum RecordField: String, Sendable, CaseIterable {
        case topic, partition, offset, timestamp, key, value
    }
}
