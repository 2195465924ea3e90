import Foundation
import TestSupport

/// Keeps one `tfi-consumer run` running: restarts it whenever it has ended, as a service manager does, and checks its
/// exit status.
actor ConsumerProcess {
    /// What the test did to the running program.
    private enum Order {
        case kill, stop
    }

    /// How long the program may take to end after SIGTERM: 8 s, and some more for a busy machine.
    private static let stopLimit = Duration.seconds(12)

    private let index: Int
    private let arguments: [String]
    private let acceptedStatuses: Set<Int32>
    private let journal: Journal

    private var program: RunningProgram?
    private var order: Order?
    private var pause = Duration.zero
    private var isEnding = false
    private(set) var starts = 0

    /// - Parameters:
    ///   - index: Counted from 1.
    ///   - arguments: The arguments of `tfi-consumer`.
    ///   - acceptedStatuses: The exit statuses with which it may end by itself.
    init(_ index: Int, arguments: [String], acceptedStatuses: Set<Int32>, journal: Journal) {
        self.index = index
        self.arguments = arguments
        self.acceptedStatuses = acceptedStatuses
        self.journal = journal
    }

    // MARK: Running

    /// Restarts the program whenever it ends, until `end` is called.
    func run() async {
        while !isEnding {
            do {
                let program = try await RunningProgram.start(try Repository.program("tfi-consumer"), arguments)
                starts += 1
                self.program = program
                // `end` may have been called while the program started.
                if isEnding { program.signal(SIGTERM) }
                let result = try await program.result(timeout: .seconds(24 * 3600))
                self.program = nil
                journal.keep("--- \(starts)\n\(result.err)--- ended with \(result.status)\n", in: "process-\(index)")
                judge(result)
            } catch {
                program = nil
                journal.find("process \(index) cannot run: \(error)")
            }
            let pause = pause
            (self.pause, order) = (.milliseconds(500), nil)
            if !isEnding { try? await Task.sleep(for: pause) }
            if Task.isCancelled { return }
        }
    }

    private func judge(_ result: ProgramResult) {
        let status = result.status
        switch order {
        case .kill where status == 128 + SIGKILL: return
        // SIGTERM may arrive before the program handles it.
        case .stop where [0, 69, 128 + SIGTERM].contains(status): return
        default: break
        }
        let words = result.err.split(separator: "\n").last ?? "nothing"
        if order == nil, acceptedStatuses.contains(status) {
            journal.say("process \(index) ended with \(status): \(words)")
        } else {
            journal.find("process \(index) ended with \(status): \(words)")
        }
    }

    // MARK: Faults

    /// Kills the program. It restarts after a pause.
    ///
    /// - Returns: Whether it was running.
    func kill(pause: Duration) async -> Bool {
        guard let program, order == nil else { return false }
        (order, self.pause) = (.kill, pause)
        program.signal(SIGKILL)
        return await ends(program, within: Self.stopLimit)
    }

    /// Stops the program with SIGTERM. It restarts after a pause.
    ///
    /// - Returns: Whether it was running.
    func restart(pause: Duration) async -> Bool {
        guard let program, order == nil else { return false }
        (order, self.pause) = (.stop, pause)
        program.signal(SIGTERM)
        if await !ends(program, within: Self.stopLimit) {
            journal.find("process \(index) did not end within \(Self.stopLimit.text) of SIGTERM")
            program.signal(SIGKILL)
        }
        return true
    }

    /// Suspends the program with SIGSTOP, and resumes it after a while.
    ///
    /// - Returns: Whether it was running.
    func suspend(for time: Duration) async -> Bool {
        guard let program, order == nil else { return false }
        program.signal(SIGSTOP)
        try? await Task.sleep(for: time)
        program.signal(SIGCONT)
        return true
    }

    // MARK: The end

    /// Stops the program with SIGTERM, and does not restart it.
    func end() async {
        isEnding = true
        guard let program else { return }
        order = .stop
        program.signal(SIGTERM)
        if await !ends(program, within: Self.stopLimit) {
            journal.find("process \(index) did not end within \(Self.stopLimit.text) of SIGTERM")
            program.signal(SIGKILL)
        }
    }

    /// Kills the program, and does not restart it.
    func abandon() {
        isEnding = true
        order = .kill
        program?.signal(SIGKILL)
    }

    private func ends(_ program: RunningProgram, within limit: Duration) async -> Bool {
        let deadline = ContinuousClock.now + limit
        while program.isRunning {
            guard ContinuousClock.now < deadline else { return false }
            // This sleep is not cancelled with the task: the limit bounds it.
            _ = await Task { try? await Task.sleep(for: .milliseconds(20)) }.value
        }
        return true
    }
}
