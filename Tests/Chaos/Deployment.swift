/// The number of consumer processes, and their options. Only this type decides them.
struct Deployment: Sendable {
    /// The number of group members of each process; nil for a process that reads all partitions alone.
    let workers: [Int?]

    /// Creates several processes that share the partitions as members of one group, or a single one.
    ///
    /// - Parameter isStandalone: Whether to create a single process that reads all partitions.
    init(isStandalone: Bool, _ random: inout SeededRandom) {
        if isStandalone {
            workers = [nil]
        } else {
            workers = (0..<Int.random(in: 3...5, using: &random)).map { _ in Int.random(in: 1...2, using: &random) }
        }
    }

    var count: Int { workers.count }

    /// The options of a process.
    ///
    /// - Parameter index: Counted from 1.
    func options(of index: Int) -> [String] {
        guard let workers = workers[index - 1] else { return ["--standalone"] }
        return ["--workers", "\(workers)", "--property", "session.timeout.ms=6000"]
    }

    /// The exit statuses with which a process may end by itself: 69 if it cannot reach a server at the start, and for a
    /// standalone process also 75, if it meets the last commit of its predecessor.
    var acceptedStatuses: Set<Int32> { workers == [nil] ? [69, 75] : [69] }

    var description: String {
        let all = workers.map { $0.map { "\($0)" } ?? "standalone" }
        return "\(count) process\(count == 1 ? "" : "es") (workers: \(all.joined(separator: ", ")))"
    }
}
