import Concurrency
import Testing

@testable import KafkaWire

@Suite("Where callers and a connection's thread meet")
struct ConnectionMailboxTests {
    @Test("a connection that this side closes ends by that, though the broker hangs up first")
    func closing() throws {
        let mailbox = ConnectionMailbox {}
        let ends = Lock<[String]>([])
        mailbox.onEnd { end in ends.withLock { $0.append(end.description) } }
        mailbox.close(KafkaError(.networkException, "closed"))
        let hangUp = KafkaError(.networkException, "the broker hung up")
        mailbox.shut(hangUp, .failed(hangUp))
        #expect(ends.withLock { $0 } == [DisconnectReason.closed.description])
    }
}
