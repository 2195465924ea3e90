import Concurrency
import Testing

@testable import KafkaWire

@Suite("Signal", .timeLimit(.minutes(1)))
struct SignalTests {
    private final class Counter: Sendable {
        private let count = Lock(0)

        func add() { count.withLock { $0 += 1 } }
        var value: Int { count.withLock { $0 } }
    }

    @Test("a notification that comes before the wait is kept, once")
    func kept() async {
        let signal = Signal()
        signal.notify()
        signal.notify()
        #expect(signal.isNotified)
        await signal.wait()
        #expect(!signal.isNotified)
    }

    @Test("a wait ends when the injected clock reaches its deadline, and not before")
    func deadline() async {
        let clock = ManualClock()
        let signal = Signal()
        let done = Counter()
        let waiting = Task {
            await signal.wait(until: clock.now + .seconds(10), by: clock.timing)
            done.add()
        }
        await clock.sleeper(for: .seconds(10))
        clock.advance(by: .seconds(9))
        #expect(clock.sleepers == [.seconds(1)] && done.value == 0)
        clock.advance(by: .seconds(1))
        await waiting.value
    }

    @Test("a deadline that has passed ends the wait at once, and a wait without a deadline continues")
    func passed() async {
        let clock = ManualClock()
        let signal = Signal()
        await signal.wait(until: clock.now, by: clock.timing)
        let task = Task { await signal.wait() }
        signal.notify()
        await task.value
    }

    @Test("cancellation ends a wait, before it begins and after", arguments: [true, false])
    func cancellation(before: Bool) async {
        let signal = Signal()
        let task = Task {
            if before { unsafe withUnsafeCurrentTask { unsafe $0?.cancel() } }
            await signal.wait()
        }
        task.cancel()
        await task.value
    }

    @Test("a notification wakes all tasks that wait")
    func severalWaiters() async {
        let signal = Signal()
        for count in 1...5 {
            let woken = Counter()
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<count {
                    group.addTask {
                        await signal.wait()
                        woken.add()
                    }
                }
                // A later notification wakes the tasks that begin to wait later.
                group.addTask {
                    while woken.value < count {
                        signal.notify()
                        await Task.yield()
                    }
                }
            }
            await signal.wait(until: .now)
        }
    }

    @Test("a wait that ends by cancellation or its deadline leaves the others waiting")
    func endsAlone() async {
        let signal = Signal()
        let done = Counter()
        let waiting = Task {
            await signal.wait()
            done.add()
        }
        for round in 0..<50 {
            if round % 2 == 0 {
                await signal.wait(until: .now + .microseconds(50))
            } else {
                let cancelled = Task { await signal.wait() }
                cancelled.cancel()
                await cancelled.value
            }
        }
        #expect(done.value == 0)
        signal.notify()
        await waiting.value
    }

    @Test("no notification is lost in a race")
    func race() async {
        let signal = Signal()
        let sent = Counter()
        let producers = (0..<4).map { _ in
            Task {
                for _ in 0..<2500 {
                    sent.add()
                    signal.notify()
                }
            }
        }
        // It reads the count after each wait, so a lost notification would leave it waiting.
        let consumer = Task {
            while sent.value < 10_000 { await signal.wait() }
        }
        for producer in producers { await producer.value }
        await consumer.value
    }

    @Test("a wait with a deadline ends at a notification")
    func raceWithDeadlines() async {
        let signal = Signal()
        let answered = Signal()
        let partner = Task {
            for _ in 0..<500 {
                await signal.wait(until: .now + .seconds(3600))
                answered.notify()
            }
        }
        // A lost notification would leave both waiting until the suite's time limit.
        for _ in 0..<500 {
            signal.notify()
            await answered.wait(until: .now + .seconds(3600))
        }
        await partner.value
    }
}
