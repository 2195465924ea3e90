import Concurrency
import KafkaFake
import Testing

@testable import KafkaWire

@Suite("The end of a membership, with and without faults", .timeLimit(.minutes(1)))
struct GroupEndTests {
    enum Brokers: CaseIterable {
        case gone, silent
    }

    static let cases = GroupKind.both.flatMap { kind in Brokers.allCases.map { (kind, $0) } }

    /// A member that has processed three records and committed nothing, on brokers that have stopped responding.
    private func withUnreachable(
        _ kind: GroupKind, _ brokers: Brokers, _ properties: [String: String] = [:],
        _ body: (RunningMember) async throws -> Void
    ) async throws {
        try await withGroup(kind, partitions: 1) { group in
            try group.produce(3)
            let member = try await group.start(["auto.commit.interval.ms": "600000"].merging(properties) { $1 })
            try await group.processed()
            try await eventually("the application waits for the next batch") { member.isIdle }
            switch brokers {
            case .gone: await group.fake.stop(broker: 1)
            case .silent:
                for api in APIKey.allCases { group.fake.inject(.silence, into: api, times: 100_000) }
            }
            try await body(member)
        }
    }

    @Test("close ends within its limit and reports the steps that failed", arguments: cases)
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

    @Test("close and unsubscribe are refused in a rebalance handler, and work elsewhere", arguments: GroupKind.both)
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

    /// The calls that a rebalance handler may try.
    enum Call: String, CaseIterable {
        case next, nextWithTimeout, nextRecord, commit, commitOffsets, committed, seek, pause, assign, assignMore,
            unassign,
            subscribe

        func make(_ consumer: KafkaConsumer) async throws {
            let partition = TopicPartition("t")
            switch self {
            case .next:
                var iterator = consumer.makeAsyncIterator()
                _ = try await iterator.next()
            case .nextWithTimeout:
                var iterator = consumer.makeAsyncIterator()
                _ = try await iterator.next(timeout: .milliseconds(5))
            case .nextRecord:
                var iterator = consumer.records.makeAsyncIterator()
                _ = try await iterator.next()
            case .commit: try await consumer.commit()
            case .commitOffsets: try await consumer.commit([partition: OffsetAndMetadata(1)])
            case .committed: _ = try await consumer.committed([partition])
            case .seek: try await consumer.seek([partition: .offset(1)])
            case .pause:
                await consumer.pause([partition])
                await consumer.resume([partition])
            case .assign: await consumer.assign([partition: ConsumerStart(.earliest)])
            case .assignMore: await consumer.assign(adding: [partition: ConsumerStart(.earliest)])
            case .unassign: await consumer.unassign([partition])
            case .subscribe: try await consumer.subscribe(to: .topics(["t", "u"]))
            }
        }

        var isRefused: Bool {
            switch self {
            case .next, .nextWithTimeout, .nextRecord: true
            default: false
            }
        }
    }

    @Test(
        "every other call in a rebalance handler works or is refused at once", arguments: GroupKind.both, Call.allCases)
    func inHandler(kind: GroupKind, call: Call) async throws {
        try await withGroup(kind, partitions: 1) { group in
            try group.produce(3)
            let consumer = try group.member().consumer
            let errors = Lock<[ErrorCode?]>([])
            try await consumer.subscribe(to: .topics(["t"])) { [weak consumer] _ in
                guard let consumer else { return }
                do {
                    try await call.make(consumer)
                    errors.withLock { $0.append(nil) }
                } catch {
                    errors.withLock { $0.append((error as? KafkaError)?.code) }
                }
            }
            try await eventually("the handler has returned", within: .seconds(10)) {
                errors.withLock { !$0.isEmpty }
            }
            let expected: ErrorCode? = call.isRefused ? .operationNotAttempted : nil
            #expect(errors.withLock { Array($0.prefix(1)) } == [expected])
            let report = await consumer.close(within: .seconds(10))
            #expect(report.isComplete, "\(report)")
        }
    }

    @Test("the last handler call, during close, may not iterate or subscribe", arguments: GroupKind.both)
    func inHandlerOfClose(kind: GroupKind) async throws {
        try await withGroup(kind, partitions: 1) { group in
            try group.produce(3)
            let consumer = try group.member().consumer
            let errors = Lock<[ErrorCode?]>([])
            try await consumer.subscribe(to: .topics(["t"])) { [weak consumer] rebalance in
                guard let consumer, case .revoked = rebalance else { return }
                for call in [Call.next, .nextRecord, .subscribe] {
                    do {
                        try await call.make(consumer)
                        errors.withLock { $0.append(nil) }
                    } catch {
                        errors.withLock { $0.append((error as? KafkaError)?.code) }
                    }
                }
            }
            // The application holds a batch, so it does not wait in next().
            var iterator = consumer.makeAsyncIterator()
            _ = try await iterator.next()
            let report = await consumer.close(within: .seconds(10))
            #expect(report.isComplete, "\(report)")
            #expect(
                errors.withLock { $0 } == [.operationNotAttempted, .operationNotAttempted, .operationNotAttempted])
        }
    }

    @Test("a second close waits for the first and returns the same report", arguments: GroupKind.both)
    func closedTwice(kind: GroupKind) async throws {
        try await withUnreachable(kind, .silent) { member in
            async let first = member.consumer.close(within: .seconds(1))
            async let second = member.consumer.close(within: .seconds(1))
            let reports = await [first, second]
            #expect(reports[0].errors.map(\.code) == reports[1].errors.map(\.code))
            #expect(member.revoked.count + member.lost.count == 1)
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
