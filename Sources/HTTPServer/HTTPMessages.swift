/// A request that was read: always a GET or a HEAD.
public struct HTTPRequest: Sendable {
    /// The path, with its escapes resolved.
    public let path: String
    /// The query's arguments by their names; of several of a name the last one.
    public let query: [String: String]

    public init(path: String, query: [String: String] = [:]) {
        self.path = path
        self.query = query
    }
}

/// What is answered.
public struct HTTPResponse: Sendable {
    public var status: Status
    /// The `Content-Type`.
    public var type: String
    public var body: Body

    public enum Body: Sendable {
        case bytes([UInt8])
        /// Events, for as long as the client stays.
        case events(EventStream)
    }

    public enum Status: UInt32, Sendable {
        case ok = 200
        case notFound = 404
        case methodNotAllowed = 405
        case internalError = 500
        case serviceUnavailable = 503
    }

    public init(_ status: Status = .ok, type: String = "text/plain; charset=utf-8", body: [UInt8]) {
        self.status = status
        self.type = type
        self.body = .bytes(body)
    }

    /// Events, for as long as the client stays.
    public init(_ events: EventStream) {
        status = .ok
        type = EventStream.contentType
        body = .events(events)
    }

    public init(_ status: Status, _ text: String) { self.init(status, body: Array(text.utf8)) }

    public init(_ text: String) { self.init(.ok, text) }
}
