import Concurrency
import Dispatch
import Testing

@testable import KafkaWire

@Suite("A promise", .timeLimit(.minutes(1)))
struct PromiseTests {
    @Test("a later reader gets the first value")
    func first() async {
        let promise = Promise<String>()
        promise.fulfil("a")
        promise.fulfil("b")
        #expect(await promise.value() == "a")
        #expect(await promise.value() == "a")
    }

    @Test("nil is a value")
    func nothing() async {
        let promise = Promise<Int?>()
        promise.fulfil(nil)
        promise.fulfil(1)
        #expect(await promise.value() == nil)
    }

    @Test("a waiter gets a value from another thread, whichever comes first")
    func threads() async {
        for round in 0..<2000 {
            let promise = Promise<[Int]>()
            DispatchQueue.global().async { promise.fulfil([round]) }
            if round % 2 == 0 { await Task.yield() }
            #expect(await promise.value() == [round])
        }
    }

    @Test("all waiters get the value")
    func several() async {
        let promise = Promise<Int>()
        await withTaskGroup(of: Int.self) { group in
            for _ in 0..<10 { group.addTask { await promise.value() } }
            group.addTask {
                promise.fulfil(7)
                return 7
            }
            for await value in group { #expect(value == 7) }
        }
    }

    @Test("a cancelled waiter of a task stops waiting, and the other waiters don't")
    func cancelled() async throws {
        let end = Promise<Int>()
        let work = Task<Int, any Error> { await end.value() }
        let (first, second) = (
            Task { try await work.valueUnlessCancelled() }, Task { try await work.valueUnlessCancelled() }
        )
        first.cancel()
        await #expect(throws: CancellationError.self) { _ = try await first.value }
        end.fulfil(7)
        #expect(try await second.value == 7)
    }
}
