import PGWire

/// Which messages become rows of which tables, and what happens with the others.
public struct Mapping: Sendable, Equatable {
    /// In order of preference: the first route that selects a record takes it.
    public var routes: [Route]
    /// A field of a message that no column takes. Default: ignored.
    public var unknownFields: UnknownFields
    /// A record of a topic that no route selects. Default: a dead letter.
    public var unrouted: Unrouted
    public var deadLetterLimit: DeadLetterLimit
    /// A partition that can't be read any more (its topic was recreated, its offset is gone). Default: continue with
    /// the others.
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

    /// When dead letters mean that the table or the mapping is wrong, not the messages: consumption then stops.
    public struct DeadLetterLimit: Sendable, Equatable {
        /// The share of dead letters among consecutive records, above 0 and at most 1.
        public var share: Double
        /// The number of consecutive records that the share is taken of.
        public var of: Int
        /// The number of dead letters in one run.
        public var total: Int

        public init(share: Double = 0.5, of: Int = 1000, total: Int = 10_000) {
            self.share = share
            self.of = of
            self.total = total
        }
    }
}

/// Records of a topic, the table that they go to, and how a record becomes a row.
public struct Route: Sendable, Equatable {
    public var topic: TopicSelector
    /// All of them must hold.
    public var conditions: [Condition]
    public var table: TableName
    /// Nil to match fields and columns by name.
    public var columns: [Column]?
    public var mode: Mode
    /// The compression of a record's value by the application, on top of Kafka's own.
    public var decompression: Decompression?
    /// A field that holds the message as JSON text.
    public var json: JSONPath?
    /// An array whose elements become one row each. Columns then address the element.
    public var each: JSONPath?
    /// The line in the mapping's file; 0 without one. Routes that differ in it only are equal.
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

    /// What a record must have for a route to select it.
    public enum Condition: Sendable, Hashable {
        case key(String)
        case header(String, String)
        /// A string is compared after its escapes are resolved; a number, `true` or `false` as it is written.
        case field(JSONPath, String)
    }

    public enum Mode: Sendable, Hashable {
        /// Each record is a new row.
        case append
        /// A record replaces the row with the same key.
        ///
        /// - Parameters:
        ///   - key: The key's columns; nil for the table's primary key.
        ///   - tombstone: What a record without a value means.
        case upsert(key: [String]?, tombstone: Tombstone)
        /// A record whose key has a row already is skipped.
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

    /// A column of the table and where its value comes from.
    public struct Column: Sendable, Equatable {
        public var name: String
        public var source: Source
        public var format: TimeFormat?
        /// How a text stands for the bytes of a `bytea` column; nil for the database's own input.
        public var bytes: ByteFormat?
        /// The IANA name of the time zone of times without an offset.
        public var zone: String?
        /// The value of a missing field or null, as text for the column's type.
        public var defaultValue: String?
        /// The line in the mapping's file; 0 without one. Columns that differ in it only are equal.
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
        /// The last header of this name.
        case header(String)
        case record(RecordField)
        /// An object of all top-level fields that no column takes.
        case rest
        /// A path in the message that has the array of `each`. The other paths address one element.
        case message(JSONPath)
        /// A path in the record's value, which has the text of `json`. The other paths address what is in the text.
        case envelope(JSONPath)
    }

    /// What Kafka keeps about a record.
    public enum RecordField: String, Sendable, CaseIterable {
        case topic, partition, offset, timestamp, key, value
    }
}
