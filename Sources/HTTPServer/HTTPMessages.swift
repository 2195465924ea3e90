/// A request that was read: always a GET or a HEAD.
package struct HTTPRequest: Sendable {
    /// The path, with its escapes resolved.
    package let path: String
    /// The query's arguments by their names; of several of a name the last one.
    package let query: [String: String]

    package init(path: String, query: [String: String] = [:]) {
        self.path = path
        self.query = query
    }
}

/// What is answered.
package struct HTTPResponse: Sendable {
    package var status: Status
    /// The `Content-Type`.
    package var type: String
    package var body: Body

    package enum Body: Sendable {
        case bytes([UInt8])
        /// Events, for as long as the client stays.
        case events(EventStream)
    }

    package enum Status: UInt32, Sendable {
        case ok = 200
        case notFound = 404
        case methodNotAllowed = 405
        case internalError = 500
        case serviceUnavailable = 503
    }

    package init(_ status: Status = .ok, type: String = "text/plain; charset=utf-8", body: [UInt8]) {
        self.status = status
        self.type = type
        self.body = .bytes(body)
    }

    /// Events, for as long as the client stays.
    package init(_ events: EventStream) {
        status = .ok
        type = EventStream.contentType
        body = .events(events)
    }

    package init(_ status: Status, _ text: String) { self.init(status, body: Array(text.utf8)) }

    package init(_ text: String) { self.init(.ok, text) }
}
