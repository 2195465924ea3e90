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

    @Test("a notification that comes before is kept, once")
    func kept() async {
        let signal = Signal()
        signal.notify()
        signal.notify()
        await signal.wait()
        let started = ContinuousClock.now
        await signal.wait(until: started + .milliseconds(20))
        #expect(.now >= started + .milliseconds(20))
    }

    @Test("a deadline that has passed ends the wait at once, and a wait without one goes on")
    func deadline() async {
        let signal = Signal()
        await signal.wait(until: .now - .seconds(1))
        let task = Task { await signal.wait() }
        signal.notify()
        await task.value
    }

    @Test("cancellation ends the wait, before it begins and after", arguments: [true, false])
    func cancellation(before: Bool) async {
        let signal = Signal()
        let task = Task {
            if before { unsafe withUnsafeCurrentTask { unsafe $0?.cancel() } }
            await signal.wait()
        }
        task.cancel()
        await task.value
    }

    @Test("a notification wakes all tasks that wait, and each of them ends")
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
                // Those that begin to wait later are woken by a later notification.
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

    @Test("a wait that is cancelled, or whose time is over, ends alone: another one goes on")
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

    @Test("no notification is lost, whoever is faster")
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
        // Ends when it has seen the last number: it looks after each wait, so a lost wake-up would leave it waiting.
        let consumer = Task {
            while sent.value < 10_000 { await signal.wait() }
        }
        for producer in producers { await producer.value }
        await consumer.value
    }

    @Test("with deadlines no wait outlives a notification")
    func raceWithDeadlines() async {
        let signal = Signal()
        let answered = Signal()
        let partner = Task {
            for _ in 0..<500 {
                await signal.wait(until: .now + .seconds(3600))
                answered.notify()
            }
        }
        // A notification that were lost would leave both waiting until the suite's time limit.
        for _ in 0..<500 {
            signal.notify()
            await answered.wait(until: .now + .seconds(3600))
        }
        await partner.value
    }
}
