/// A GET or HEAD request.
public struct HTTPRequest: Sendable {
    /// The path with its escapes decoded.
    public let path: String
    /// The arguments of the query by name; for repeated names the last value.
    public let query: [String: String]

    public init(path: String, query: [String: String] = [:]) {
        self.path = path
        self.query = query
    }
}

/// The response to a request.
public struct HTTPResponse: Sendable {
    public var status: Status
    /// The `Content-Type`.
    public var type: String
    public var body: Body

    public enum Body: Sendable {
        case bytes([UInt8])
        /// Server-sent events, for as long as the client stays connected.
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

    /// A stream of server-sent events, for as long as the client stays connected.
    public init(_ events: EventStream) {
        status = .ok
        type = EventStream.contentType
        body = .events(events)
    }

    public init(_ status: Status, _ text: String) { self.init(status, body: Array(text.utf8)) }

    public init(_ text: String) { self.init(.ok, text) }
}
