import CommandLineSupport
import Concurrency
import KafkaWire

/// Also commits the database's offsets to Kafka, for tools that show lag. No run starts from them, so a failure loses
/// nothing: it is reported, and the next attempt includes its offsets.
final class GroupOffsets: Sendable {
    private static let interval = Duration.seconds(1)
    private static let limit = Duration.seconds(1)

    private let group: String
    private let committed: @Sendable () -> [TopicPartition: Int64]
    private let send: @Sendable ([TopicPartition: Int64]) async throws -> Void
    private let wait: Lock<Wait>
    private let sent = Lock<[TopicPartition: Int64]>([:])

    /// - Parameters:
    ///   - committed: Returns the offsets committed in the database.
    ///   - send: Commits offsets to Kafka.
    init(
        group: String, committed: @escaping @Sendable () -> [TopicPartition: Int64],
        wait: Wait,
        send: @escaping @Sendable ([TopicPartition: Int64]) async throws -> Void
    ) {
        self.group = group
        self.committed = committed
        self.wait = Lock(wait)
        self.send = send
    }

    /// Commits periodically until the task is cancelled.
    func follow() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.interval)
            await commit()
        }
    }

    func commit() async {
        let known = sent.withLock { $0 }
        let committed = committed()
        let new = committed.filter { known[$0.key] != $0.value }
        guard !new.isEmpty else { return }
        let late = Failure("no answer within \(Self.limit)", status: .unavailable)
        do {
            try await withDeadline(Self.limit, failure: late) { [send] in try await send(new) }
            sent.withLock { $0 = committed }
            wait.withLock { $0.succeeded("Kafka has the offsets of group \(group) again") }
        } catch is CancellationError {
            // The run is ending and commits once more.
        } catch let error as KafkaError where error.isMembershipError {
            // A rebalance is in progress; the partitions' next owner commits.
        } catch {
            wait.withLock { wait in
                wait.failed(
                    "\(error)", at: .now,
                    "Kafka does not accept the offsets of group \(group), so tools show an old lag; retrying: \(error)")
            }
        }
    }
}

extension KafkaError {
    /// Whether a commit was refused because partitions have been or are being moved.
    fileprivate var isMembershipError: Bool {
        switch code {
        case .illegalGeneration, .unknownMemberId, .fencedMemberEpoch, .staleMemberEpoch, .rebalanceInProgress: true
        default: false
        }
    }
}
