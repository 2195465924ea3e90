import Concurrency
import Foundation
import KafkaFake
import Testing

@testable import KafkaWire

@Suite("A rebalance that begins while a batch is handed out", .timeLimit(.minutes(1)), .serialized)
struct GroupHandoverTests {
    /// A clock that stops the application's task once, as a busy machine would: after a batch was handed out, while the
    /// group still considers the application waiting. The task resumes when partitions were revoked.
    private final class Obstruction: Sendable {
        private let state = Lock((member: RunningMember?.none, isStopped: false))

        var timing: Timing {
            Timing(now: { [self] in
                if RunningMember.isApplication { stop() }
                return .now
            })
        }

        func prepare(for member: RunningMember) {
            state.withLock { $0.member = member }
        }

        var isStopped: Bool { state.withLock { $0.isStopped } }

        private func stop() {
            guard let member = state.withLock({ $0.isStopped ? nil : $0.member }) else { return }
            let isBetween = member.consumer.buffer.state.withLock { state in
                if state.current != nil, case .waiting = state.presence { true } else { false }
            }
            guard isBetween else { return }
            state.withLock { $0.isStopped = true }
            let limit = ContinuousClock.now + .seconds(10)
            while ContinuousClock.now < limit, member.revoked.isEmpty { usleep(1000) }
        }
    }

    @Test(
        "the batch is processed before its partition moves to another member", arguments: GroupKind.all,
        // Which of the two moves is the assignor's choice.
        [Int32(0), 1])
    func handedOut(kind: GroupKind, partition: Int32) async throws {
        try await withGroup(kind, partitions: 2) { group in
            let obstruction = Obstruction()
            let first = try await group.start(timing: obstruction.timing)
            try await group.shared(first)
            obstruction.prepare(for: first)
            try group.fake.fill(TopicPartition("t", partition), [["0", "1", "2"]])
            try await eventually("a batch is handed out") {
                obstruction.isStopped || !group.ledger[TopicPartition("t", partition)].isEmpty
            }
            let second = try await group.start()
            try await group.shared(first, second)
            try await group.finish()
        }
    }
}
