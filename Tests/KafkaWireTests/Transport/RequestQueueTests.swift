import Concurrency
import Testing

@testable import KafkaWire

extension RequestFrame {
    static var ofTenBytes: RequestFrame { RequestFrame([UInt8](repeating: 0, count: 10)) }
}

@Suite("A connection's queue of requests")
struct RequestQueueTests {
    private static let reason = KafkaError(.networkException, "the broker closed the connection")

    /// A queue whose connection is open, and the number of times that it has woken the event loop.
    private func open() -> (queue: RequestQueue, wakes: Counter) {
        let wakes = Counter()
        let machine = ConnectionStateMachine(
            broker: "b:1", connectDeadline: .now + .seconds(60), maximumFrame: 1000, maximumIdle: .zero)
        let queue = RequestQueue(machine: machine) { wakes.add("wake") }
        queue.established()
        return (queue, wakes)
    }

    private final class Counter: Sendable {
        private let events = Lock<[String]>([])

        var all: [String] { events.withLock { $0 } }
        func add(_ event: String) { events.withLock { $0.append(event) } }
    }

    private func submit(_ queue: RequestQueue, _ id: Int32, _ results: Counter) {
        queue.submit(id: id, frame: .ofTenBytes, deadline: .now + .seconds(60), expectsResponse: true) { response in
            switch response {
            case .success(let frame): results.add("\(id): \(frame?.count ?? 0)")
            case .failure(let error): results.add("\(id): \((error as? KafkaError)?.message ?? "cancelled")")
            }
        }
    }

    /// A response's frame, which begins with the correlation id.
    private func response(_ id: UInt8) -> ByteSlice { ByteSlice([0, 0, 0, id, 1, 2]) }

    @Test("requests are written and completed in order, and a cancelled one is not written")
    func order() {
        let (queue, wakes) = open()
        let results = Counter()
        for id in Int32(0)..<3 { submit(queue, id, results) }
        queue.cancel(id: 1)
        for _ in 0..<2 {
            #expect(queue.nextWrite()?.written == 0)
            #expect(!queue.wrote(4))
            #expect(queue.nextWrite()?.written == 4)
            #expect(!queue.wrote(6))
        }
        #expect(queue.nextWrite() == nil)
        #expect(!queue.received(response(0)) && !queue.received(response(2)))
        #expect(results.all == ["1: cancelled", "0: 6", "2: 6"])
        #expect(wakes.all.count == 4)
    }

    @Test("if this side closes the connection, its reason is reported even if the broker closes first")
    func closing() {
        let (queue, _) = open()
        let ends = Counter()
        queue.onEnd { ends.add($0.description) }
        submit(queue, 0, ends)
        queue.close(KafkaError(.networkException, "closed"))
        #expect(queue.status.closeRequest?.message == "closed")
        #expect(queue.fail(Self.reason))
        #expect(ends.all == ["0: \(Self.reason.message)", DisconnectReason.closed.description])
        // A second failure has no effect, and later requests fail for the reason of the first.
        #expect(!queue.fail(KafkaError(.networkException, "other")))
        submit(queue, 1, ends)
        #expect(ends.all.last == "1: \(Self.reason.message)")
    }

    @Test("an idle connection ends, unless a request was submitted before")
    func idle() {
        let (queue, _) = open()
        let results = Counter()
        queue.onEnd { results.add($0.description) }
        #expect(!queue.tick(.now))
        submit(queue, 0, results)
        #expect(!queue.tick(.now))
        _ = queue.wrote(10)
        #expect(!queue.received(response(0)))
        #expect(!queue.tick(.now))
        #expect(queue.tick(.now))
        #expect(queue.status.isClosed && queue.closed != nil)
        #expect(results.all == ["0: 6", DisconnectReason.idle.description])
    }

    @Test("a pause is known until it ends")
    func pause() {
        let (queue, _) = open()
        #expect(queue.pauseEnd == nil)
        queue.mute(until: .now + .seconds(60))
        submit(queue, 0, Counter())
        #expect(queue.pauseEnd != nil && queue.nextWrite() == nil)
    }
}
