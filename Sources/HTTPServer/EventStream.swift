import CMicroHTTPD
import Concurrency

/// One stream of server-sent events, for any number of clients that come and go.
///
/// A client gets the last picture at once, and then each new one. One that is slow leaves pictures out: it is only ever
/// given whole events, and the newest one next. Beats let clients notice that the stream stands still, and the server that
/// a client is gone.
///
/// Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
public final class EventStream: Sendable {
    public static let contentType = "text/event-stream; charset=utf-8"
    private static let beat = Array("event: beat\ndata: {}\n\n".utf8)

    private struct State {
        /// The last picture as an event; nil before the first.
        var picture: [UInt8]?
        /// Counts the pictures.
        var number = 0
        var beats = 0
        var isEnded = false
        /// Those that wait for the next event.
        var waiting: [Client] = []
        var clientCount = 0
    }

    private let state = Lock(State())

    public init() {}

    /// How many clients there are.
    public var clientCount: Int { state.withLock { $0.clientCount } }

    /// How many of them have everything, and wait for the next event.
    public var waitingCount: Int { state.withLock { $0.waiting.count } }

    /// Shows a picture to all clients.
    ///
    /// - Parameter data: One line.
    public func show(_ data: String) {
        resume { state in
            state.picture = Array("data: \(data)\n\n".utf8)
            state.number += 1
        }
    }

    /// Forgets the last picture, which is too old for a client that comes now. Clients that are there keep what they have.
    public func forget() { state.withLock { $0.picture = nil } }

    /// Sends a beat to all clients.
    public func sendBeat() { resume { $0.beats += 1 } }

    /// Ends the stream for all clients, and for all that come later, once they have the last picture. Stopping the server
    /// doesn't wait for that.
    public func end() { resume { $0.isEnded = true } }

    private func resume(_ change: (inout State) -> Void) {
        state.withLock { state in
            change(&state)
            // Under the lock: a connection isn't freed while it is suspended, and it is resumed once.
            for client in state.waiting { unsafe MHD_resume_connection(client.connection) }
            state.waiting = []
        }
    }

    /// What libmicrohttpd reads from for one client.
    ///
    /// - Returns: Nil if there is no memory.
    func response(to connection: OpaquePointer) -> OpaquePointer? {
        state.withLock { $0.clientCount += 1 }
        let client = unsafe Unmanaged.passRetained(Client(self, connection))
        let response = unsafe MHD_create_response_from_callback(
            .max, 16 << 10, Self.read, client.toOpaque(), Self.free)
        if unsafe response == nil { unsafe Self.free(client.toOpaque()) }
        return unsafe response
    }

    private static let read: MHD_ContentReaderCallback = { client, _, target, count in
        guard let client = unsafe client, let target = unsafe target, count > 0 else { return 0 }
        // The response holds the client until `free`.
        let reader = unsafe Unmanaged<Client>.fromOpaque(client).takeUnretainedValue()
        let bytes = unsafe UnsafeMutableRawBufferPointer(start: target, count: count)
        return unsafe reader.stream.read(into: bytes, for: reader)
    }

    private static let free: MHD_ContentReaderFreeCallback = { client in
        guard let client = unsafe client else { return }
        let reader = unsafe Unmanaged<Client>.fromOpaque(client).takeRetainedValue()
        reader.stream.state.withLock { state in
            state.clientCount -= 1
            state.waiting.removeAll { $0 === reader }
        }
    }

    /// Copies what a client is to get next. If there is nothing, its connection is suspended until there is.
    private func read(into target: UnsafeMutableRawBufferPointer, for client: Client) -> Int {
        state.withLock { state in
            if client.rest.isEmpty {
                if let picture = state.picture, client.number != state.number {
                    client.rest = picture[...]
                    (client.number, client.beats) = (state.number, state.beats)
                } else if client.beats != state.beats {
                    client.rest = Self.beat[...]
                    client.beats = state.beats
                } else if state.isEnded {
                    return MHD_CONTENT_READER_END_OF_STREAM
                } else {
                    state.waiting.append(client)
                    unsafe MHD_suspend_connection(client.connection)
                    return 0
                }
            }
            let part = client.rest.prefix(target.count)
            unsafe target.copyBytes(from: part)
            client.rest = client.rest.dropFirst(part.count)
            return part.count
        }
    }

    /// One client, and how far it is.
    @safe private final class Client: @unchecked Sendable {
        // @unchecked: what changes is used under the stream's lock alone.
        let stream: EventStream
        /// libmicrohttpd keeps it until it has called `free`.
        let connection: OpaquePointer
        var rest: ArraySlice<UInt8> = []
        /// Of the last picture and beat that it was given.
        var number = 0
        var beats = 0

        init(_ stream: EventStream, _ connection: OpaquePointer) {
            self.stream = stream
            unsafe self.connection = connection
        }
    }
}
