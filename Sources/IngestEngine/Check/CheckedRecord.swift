import KafkaWire

/// A record to check a mapping with.
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

    /// The value of the last header with this name; nil if there is none or its value is null.
    func header(_ name: String) -> [UInt8]? {
        // As a run compares them: Swift's `==` takes two ways of writing é for equal.
        headers.last { $0.name.utf8.elementsEqual(name.utf8) }?.value
    }
}

/// The result of checking a mapping with a sample of records.
public struct CheckReport: Sendable, Equatable {
    /// One route and its table.
    public struct Entry: Sendable, Equatable {
        public var route: Route
        /// Columns that the route doesn't name, which get their default in the database.
        public var leftToDefault: [String] = []
        /// The number of records that the route selected.
        public var records = 0
        public var rows = 0
        /// The number of `rows` in a form that only the server can parse.
        public var serverRows = 0
        /// For upsert routes: the number of tombstones that delete a row.
        public var deletions = 0
        public var ignoredTombstones = 0
        /// In the order in which each reason first occurred.
        public var rejections: [Rejection] = []
    }

    /// Records that were rejected for the same reason.
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
        /// The full reason, with the value.
        public var reason: String
    }

    /// In the order of the mapping.
    public var routes: [Entry]
    /// The number of records that no route selects.
    public var unrouted = 0
    public var firstUnrouted: Example?

    /// Whether no record was rejected. Unrouted records don't count.
    public var isClean: Bool { routes.allSatisfy(\.rejections.isEmpty) }
}
