import Foundation
import KafkaWire

/// The two answers for Kubernetes. A problem is a sentence; nil means healthy.
struct Health: Codable {
    /// A reason to restart the process. An unreachable broker is none: a restart would not reach it either.
    var liveProblem: String?
    /// A reason to send no work to the process, or to wait with the next one during a rollout.
    var readyProblem: String?

    /// The longest time for one batch. Choose less than `max.poll.interval.ms`.
    private static let longestStep = Duration.seconds(120)
    /// How old a broker's last response may be. Choose several times `fetch.max.wait.ms`.
    private static let oldestResponse = Duration.seconds(5)
    /// How many records the consumer may be behind.
    private static let largestLag = 10_000
    /// How old the file may be, in seconds. The program writes it every second.
    private static let oldestReport = 10.0

    /// Derives the answers from a consumer's public state.
    ///
    /// - Parameter lastStep: When the reading loop last asked for a batch.
    init(of consumer: KafkaConsumer, lastStep: ContinuousClock.Instant) {
        liveProblem = Self.liveProblem(consumer.state, lastStep: lastStep)
        readyProblem = liveProblem ?? Self.readyProblem(consumer)
    }

    private init(problem: String) {
        (liveProblem, readyProblem) = (problem, problem)
    }

    private static func liveProblem(_ state: ConsumerState, lastStep: ContinuousClock.Instant) -> String? {
        switch state {
        case .failed(let error): return "the consumer has failed: \(error)"
        case .closed: return "the consumer is closed"
        default: break
        }
        let time = ContinuousClock.now - lastStep
        return time > longestStep ? "the reading loop has not moved for \(time.components.seconds) s" : nil
    }

    private static func readyProblem(_ consumer: KafkaConsumer) -> String? {
        if consumer.state == .joining { return "the consumer is joining its group" }
        if let (partition, error) = consumer.failedPartitions.first { return "\(partition) has failed: \(error)" }
        // A member without partitions is a spare. It reads nothing, and is ready to take over.
        if consumer.assignment.isEmpty { return nil }
        guard let response = consumer.lastResponse else { return "no broker has answered yet" }
        let age = ContinuousClock.now - response
        if age > oldestResponse { return "no broker has answered for \(age.components.seconds) s" }
        let lag = consumer.lag.values.reduce(0, +)
        return lag > largestLag ? "the consumer is \(lag) records behind" : nil
    }

    /// Replaces the file in one step, so that a probe never reads half of it.
    func write(to file: URL) throws {
        try JSONEncoder().encode(self).write(to: file, options: .atomic)
    }

    /// Reads what the program wrote last. A program that has stopped writing is neither live nor ready.
    static func read(_ file: URL) -> Health {
        guard let written = try? file.resourceValues(forKeys: [.contentModificationDateKey]).contentModificationDate,
            let report = try? JSONDecoder().decode(Health.self, from: Data(contentsOf: file))
        else { return Health(problem: "no report at \(file.path)") }
        let age = Date.now.timeIntervalSince(written)
        return age > oldestReport ? Health(problem: "no report for \(Int(age)) s") : report
    }
}
