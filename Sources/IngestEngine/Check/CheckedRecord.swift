import KafkaWire

/// A record that a mapping is tried on.
public struct CheckedRecord: Sendable {
    public var topic: String
    public var partition: Int32
    public var offset: Int64
    /// Milliseconds since 1970; nil if the record has none.
    public var timestamp: Int64?
    public var key: [UInt8]?
    public var value: [UInt8]?
    public var headers: [RecordHeader]

    public init(
        topic: String, partition: Int32, offset: Int64, timestamp: Int64? = nil, key: [UInt8]? = nil,
        value: [UInt8]? = nil, headers: [RecordHeader] = []
    ) {
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.timestamp = timestamp
        self.key = key
        self.value = value
        self.headers = headers
    }

    var metadata: RecordMetadata { RecordMetadata(partition: partition, offset: offset, timestamp: timestamp) }

    /// The last header of a name; nil if there is none or it has no value.
    func header(_ name: String) -> [UInt8]? {
        headers.last { $0.name == name }?.value
    }
}

/// What a mapping makes of a sample of records.
public struct CheckReport: Sendable, Equatable {
    /// One route and its table.
    public struct Entry: Sendable, Equatable {
        public var route: Route
        /// Columns that the database fills by their defaults, since the route doesn't name them.
        public var leftToDefault: [String] = []
        /// Records that the route selected.
        public var records = 0
        public var rows = 0
        /// Of these, rows in a form that only the database reads.
        public var serverRows = 0
        /// Records without a value of an upsert route, by what happens with them.
        public var deletions = 0
        public var ignoredTombstones = 0
        /// In the order of the first example.
        public var rejections: [Rejection] = []
    }

    /// Records that can't become rows for the same reason.
    public struct Rejection: Sendable, Equatable {
        /// The reason without the value.
        public var reason: String
        public var count: Int
        public var example: Example
    }

    public struct Example: Sendable, Equatable {
        public var topic: String
        public var partition: Int32
        public var offset: Int64
        /// The whole reason, with the value.
        public var reason: String
    }

    /// In the order of the mapping.
    public var routes: [Entry]
    /// Records that no route selects.
    public var unrouted = 0
    public var firstUnrouted: Example?

    /// Whether every record became a row or is ignored as the mapping says.
    public var isClean: Bool { routes.allSatisfy(\.rejections.isEmpty) }
}
