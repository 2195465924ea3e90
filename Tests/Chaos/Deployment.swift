/// How many processes consume, and with which options. Nothing else knows.
struct Deployment: Sendable {
    /// For each process how many members of the group it has; nil for a process that reads all partitions alone.
    let workers: [Int?]

    /// Several processes that share the partitions as members of one group, or a single one.
    ///
    /// - Parameter isStandalone: A single one that reads all partitions.
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

    /// The exit statuses with which a process may end by itself: a server can't be reached at the start. A process that
    /// reads all partitions alone may also meet the last commit of the one before it (75).
    var acceptedStatuses: Set<Int32> { workers == [nil] ? [69, 75] : [69] }

    var description: String {
        let all = workers.map { $0.map { "\($0)" } ?? "standalone" }
        return "\(count) process\(count == 1 ? "" : "es") (workers: \(all.joined(separator: ", ")))"
    }
}
