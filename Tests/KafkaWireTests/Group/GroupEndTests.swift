import Concurrency
import KafkaFake
import Testing

@testable import KafkaWire

@Suite("How a membership ends, whatever the brokers do", .timeLimit(.minutes(1)))
struct GroupEndTests {
    enum Brokers: CaseIterable {
        case gone, silent
    }

    static let cases = GroupKind.both.flatMap { kind in Brokers.allCases.map { (kind, $0) } }

    /// A member that has processed three records and has committed nothing, on brokers that do not answer any more.
    private func withUnreachable(
        _ kind: GroupKind, _ brokers: Brokers, _ properties: [String: String] = [:],
        _ body: (RunningMember) async throws -> Void
    ) async throws {
        try await withGroup(kind, partitions: 1) { group in
            try group.produce(3)
            let member = try await group.start(["auto.commit.interval.ms": "600000"].merging(properties) { $1 })
            try await group.processed()
            try await eventually("it is back from its last batch") { member.isIdle }
            switch brokers {
            case .gone: await group.fake.stop(broker: 1)
            case .silent:
                for api in APIKey.allCases { group.fake.inject(.silence, into: api, times: 100_000) }
            }
            try await body(member)
        }
    }

    @Test("close ends within its limit and reports what was not done", arguments: cases)
    func close(kind: GroupKind, brokers: Brokers) async throws {
        try await withUnreachable(kind, brokers) { member in
            let begin = ContinuousClock.now
            let report = await member.consumer.close(within: .seconds(1))
            #expect(.now - begin < .seconds(4))
            #expect(!report.isComplete)
            // The commit and the leave, or one error for both if a busy machine needs longer than the limit.
            #expect((1...2).contains(report.errors.count), "\(report)")
        }
    }

    @Test("a commit ends within default.api.timeout.ms", arguments: cases)
    func commit(kind: GroupKind, brokers: Brokers) async throws {
        let properties = ["enable.auto.commit": "false", "default.api.timeout.ms": "500"]
        try await withUnreachable(kind, brokers, properties) { member in
            let begin = ContinuousClock.now
            let error = await #expect(throws: KafkaError.self) { try await member.consumer.commit() }
            #expect(.now - begin < .seconds(4))
            #expect(error?.isRetriable == true)
            await member.consumer.close(within: .milliseconds(500))
        }
    }

    @Test("close and unsubscribe in a rebalance handler are refused, and work elsewhere", arguments: GroupKind.both)
    func inHandler(kind: GroupKind) async throws {
        try await withGroup(kind, partitions: 1) { group in
            let consumer = try group.member().consumer
            let reports = Lock<[CloseReport]>([])
            let other = Lock<Task<CloseReport, Never>?>(nil)
            try await consumer.subscribe(to: .topics(["t"])) { [weak consumer] _ in
                guard let consumer, reports.withLock({ $0.isEmpty }) else { return }
                let closed = await consumer.close()
                let unsubscribed = await consumer.unsubscribe()
                reports.withLock { $0 = [closed, unsubscribed] }
                other.withLock { $0 = Task { await consumer.close() } }
            }
            var iterator = consumer.makeAsyncIterator()
            while let step = try? await iterator.next(timeout: .milliseconds(5)) {
                if case .finished = step { break }
            }
            #expect(
                reports.withLock { $0.flatMap(\.errors).map(\.code) } == [
                    .operationNotAttempted, .operationNotAttempted,
                ])
            #expect(await other.withLock { $0 }?.value.isComplete == true)
            #expect(group.fake.members(ofGroup: GroupFixture.group) == [])
        }
    }

    @Test("close does not wait for a handler that never returns", arguments: GroupKind.both)
    func stuckHandler(kind: GroupKind) async throws {
        try await withGroup(kind, partitions: 1) { group in
            let consumer = try group.member().consumer
            let (entered, leave) = (Promise<Bool>(), Promise<Bool>())
            try await consumer.subscribe(to: .topics(["t"])) { _ in
                entered.fulfil(true)
                _ = await leave.value()
            }
            _ = await entered.value()
            let report = await consumer.close(within: .milliseconds(300))
            #expect(report.errors.map(\.code) == [.requestTimedOut])
            leave.fulfil(true)
        }
    }
}
