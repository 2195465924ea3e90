import CMicroHTTPD
import Concurrency

/// A stream of server-sent events for any number of clients, which may come and go.
///
/// A client receives the last picture at once, and then each new one. A slow client skips pictures: it receives only
/// whole events, and always the newest one next. Beats let clients detect a stalled stream, and let the server detect
/// that a client is gone.
///
/// Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
public final class EventStream: Sendable {
    public static let contentType = "text/event-stream; charset=utf-8"
    private static let beat = Array("event: beat\ndata: {}\n\n".utf8)

    private struct State {
        /// The last picture as an event; nil before the first one.
        var picture: [UInt8]?
        /// The number of the last picture.
        var number = 0
        var beats = 0
        var isEnded = false
        /// The clients that wait for the next event.
        var waiting: [Client] = []
        var clientCount = 0
    }

    private let state = Lock(State())

    public init() {}

    /// The number of connected clients.
    public var clientCount: Int { state.withLock { $0.clientCount } }

    /// The number of clients that have received everything and wait for the next event.
    public var waitingCount: Int { state.withLock { $0.waiting.count } }

    /// Sends a picture to all clients.
    ///
    /// - Parameter data: One line of text.
    public func show(_ data: String) {
        resume { state in
            state.picture = Array("data: \(data)\n\n".utf8)
            state.number += 1
        }
    }

    /// Drops the last picture when it is too old for new clients. Connected clients keep it.
    public func forget() { state.withLock { $0.picture = nil } }

    /// Sends a beat to all clients.
    public func sendBeat() { resume { $0.beats += 1 } }

    /// Ends the stream for all current and future clients, once they have received the last picture. Stopping the
    /// server doesn't wait for that.
    public func end() { resume { $0.isEnded = true } }

    private func resume(_ change: (inout State) -> Void) {
        state.withLock { state in
            change(&state)
            // Done under the lock: a suspended connection isn't freed, and it is resumed only once.
            for client in state.waiting { unsafe MHD_resume_connection(client.connection) }
            state.waiting = []
        }
    }

    /// Creates the libmicrohttpd response for one client.
    ///
    /// - Returns: The response; nil if there isn't enough memory.
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
        // The response retains the client until `free`.
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

    /// Copies the client's next bytes. If there are none, suspends its connection until there are.
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

    /// A client and its position in the stream.
    @safe private final class Client: @unchecked Sendable {
        // @unchecked: the mutable properties are used only under the stream's lock.
        let stream: EventStream
        /// Valid until libmicrohttpd has called `free`.
        let connection: OpaquePointer
        var rest: ArraySlice<UInt8> = []
        /// The numbers of the last picture and beat that it received.
        var number = 0
        var beats = 0

        init(_ stream: EventStream, _ connection: OpaquePointer) {
            self.stream = stream
            unsafe self.connection = connection
        }
    }
}
