import Foundation
import TestSupport
import Testing

/// Programs that tests start, and what becomes of them.
@Suite("programs started by tests", .timeLimit(.minutes(1)))
struct ChildProcessTests {
    @Test("output, errors, input, environment and status")
    func result() async throws {
        let result = try await run(
            "bash", ["-c", "cat; echo $A-$1 >&2; exit 3", "bash", "b"], environment: ["A": "a"], input: "input\n")
        #expect(result.status == 3)
        #expect(result.out == "input\n")
        #expect(result.err == "a-b\n")
    }

    @Test("the status after a signal is 128 and the signal's number")
    func signalled() async throws {
        #expect(try await run("bash", ["-c", "kill -TERM $$"]).status == 128 + SIGTERM)
        let program = try await RunningProgram.start("sleep", ["1000"])
        #expect(program.isRunning)
        program.signal(SIGINT)
        #expect(try await program.result().status == 128 + SIGINT)
        #expect(!program.isRunning)
    }

    @Test("a program that cannot be started is an error that names it")
    func missing() async throws {
        do {
            _ = try await run("/no/such/program")
            Issue.record("no error was thrown")
        } catch {
            #expect("\(error)" == "cannot start /no/such/program: No such file or directory")
        }
    }

    @Test("a program that is late is killed, and the error has what it wrote")
    func late() async throws {
        do {
            _ = try await run("bash", ["-c", "echo begun; sleep 1000"], timeout: .milliseconds(300))
            Issue.record("no error was thrown")
        } catch {
            #expect("\(error)".contains("was killed; it wrote: begun"), "\(error)")
        }
    }

    @Test("what a program leaves in its process group is killed when the program ends")
    func leftovers() async throws {
        let result = try await run("bash", ["-c", "sleep 1000 & echo $!"])
        #expect(result.status == 0)
        try await expectEnded(processes(result.out, 1))
    }

    @Test("a program inherits no descriptors, and no blocked or ignored signals")
    func inheritance() async throws {
        let descriptors = try await run("bash", ["-c", "ls /proc/self/fd"])
        // The fourth is the folder that `ls` reads.
        #if os(Linux)
            #expect(descriptors.out == "0\n1\n2\n3\n", "\(descriptors.err)")
            let status = try await run("grep", ["-E", "^Sig(Blk|Ign)", "/proc/self/status"])
            let sets = status.out.matches(of: /\s([0-9a-f]{16})/).compactMap { UInt64($0.1, radix: 16) }
            // The signals from 32 on are the C library's own.
            #expect(sets.map { $0 & 0x7fff_ffff } == [0, 0], "\(status.out)")
        #endif
    }

    @Test("a conversation is answered line by line, and ends with its last reference")
    func conversation() async throws {
        var conversation: Conversation? = try Conversation(
            "bash", ["-c", "while read -r line; do echo \"$line $$\"; done"])
        let answer = try #require(try await conversation?.ask("hello"))
        #expect(answer.hasPrefix("hello "))
        conversation = nil
        try await expectEnded(processes(answer, 1))
    }

    /// Foundation's `Process` was seen to crash in such a process.
    @Test("programs start while thousands of descriptors are open")
    func manyDescriptors() async throws {
        await #expect(processExitsWith: .success) {
            var limit = rlimit()
            #if os(Linux)
                let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
            #else
                let resource = RLIMIT_NOFILE
            #endif
            unsafe getrlimit(resource, &limit)
            limit.rlim_cur = min(limit.rlim_max, 4096)
            unsafe setrlimit(resource, &limit)
            // Room is left for the pipes and files of those that run at once.
            for _ in 0..<(Int(limit.rlim_cur) - 500) { _ = open("/dev/null", O_RDONLY) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<40 {
                    group.addTask {
                        #expect(try await run("echo", ["\(number)"]).out == "\(number)\n")
                        let conversation = try Conversation("cat", [])
                        #expect(try await conversation.ask("\(number)") == "\(number)")
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("programs end when the test process is killed, and so do the programs that they started")
    func killedParent() async throws {
        let result = try #require(
            await #expect(processExitsWith: .signal(SIGKILL), observing: [\.standardOutputContent]) {
                let program = try await RunningProgram.start("bash", ["-c", "sleep 1000 & echo $! $$; wait"])
                let conversation = try Conversation("bash", ["-c", "read -r; sleep 1000 & echo $! $$; wait"])
                let answer = try await conversation.ask("")
                try await eventually("the program is running") { try program.output().hasSuffix("\n") }
                try FileHandle.standardOutput.write(contentsOf: Data("\n\(try program.output())\(answer)\n".utf8))
                kill(getpid(), SIGKILL)
                _ = (program, conversation)
            })
        try await expectEnded(processes(String(decoding: result.standardOutputContent, as: UTF8.self), 4))
    }

    @Test("a server and its folder go when the test process is killed", needsPostgres)
    func killedOwner() async throws {
        let result = try #require(
            await #expect(processExitsWith: .signal(SIGKILL), observing: [\.standardOutputContent]) {
                let server = try await PostgresServer.start()
                let connection = try await run("psql", ["-qAtX", server.uri, "-c", "SHOW data_directory"])
                let process = try await run("head", ["-n", "1", connection.out.dropLast() + "/postmaster.pid"])
                try FileHandle.standardOutput.write(contentsOf: Data("\n\(process.out)\(connection.out)".utf8))
                kill(getpid(), SIGKILL)
                _ = server
            })
        let output = String(decoding: result.standardOutputContent, as: UTF8.self)
        try await expectEnded(processes(output, 1))
        let folder = try #require(output.split(separator: "\n").last)
        try await eventually("the server's folder is removed") { !FileManager.default.fileExists(atPath: "\(folder)") }
    }

    /// The numbers in the last lines of a text.
    private func processes(
        _ text: String, _ count: Int, _ location: SourceLocation = #_sourceLocation
    ) throws -> [pid_t] {
        let numbers = text.split { $0 == "\n" || $0 == " " }.compactMap { pid_t($0) }
        try #require(numbers.count == count, "\(text)", sourceLocation: location)
        return numbers
    }

    private func expectEnded(_ processes: [pid_t]) async throws {
        for process in processes {
            try await eventually("process \(process) has ended", timeout: .seconds(20)) { !isAlive(process) }
        }
    }

    /// Whether a process runs. One that has ended but whose parent has not collected its status does not.
    private func isAlive(_ process: pid_t) -> Bool {
        #if os(Linux)
            guard let line = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { return false }
            let state = line.split(separator: ")").last?.split(separator: " ").first
            return state != "Z" && state != "X"
        #else
            return kill(process, 0) == 0
        #endif
    }
}

private let needsPostgres: ConditionTrait = .enabled(
    if: PostgresServer.isAvailable, "\(PostgresServer.skipReason)")
