import CSpawn
import Concurrency
import Foundation

/// A program in its own process group, started with posix_spawn(3).
///
/// Foundation's `Process` is not used, for two reasons. It was seen to crash in `run()` when the test process had more
/// than a thousand open descriptors; this type only uses three. And its children survive a killed test process; see
/// `ProcessReaper`.
///
/// When the program has ended, the rest of its process group is killed. A daemon that is meant to survive starts its
/// own session, as `launch` in `scripts/daemon.sh` does.
final class ChildProcess: Sendable {
    let identifier: pid_t
    /// The exit status. A program ended by a signal has 128 plus the signal's number, as in a shell.
    let status = Promise<Int32>()
    /// Whether a signal may still be sent: the program runs, or its exit status has not been collected yet.
    private let isAlive = Lock(true)

    var isRunning: Bool { isAlive.withLock { $0 } }

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - program: The path of the program, or its name in `PATH`.
    ///   - environment: The program's whole environment.
    ///   - descriptors: Its standard input, output and error. It inherits no others. The caller closes them.
    ///   - outlivesTests: Whether it may continue after this process has ended.
    /// - Throws: `ProgramError` if it cannot be started.
    init(
        _ program: String, _ arguments: [String],
        environment: [String: String] = ProcessInfo.processInfo.environment,
        descriptors: (input: Int32, output: Int32, error: Int32), outlivesTests: Bool = false
    ) throws {
        let reaper = outlivesTests ? nil : try ProcessReaper.shared.get()
        identifier = try spawn(program, arguments, environment: environment, descriptors: descriptors, in: .group)
        reaper?.add(group: identifier)
        // A separate thread, since the wait blocks until the program ends.
        Thread.detachNewThread { [self] in
            // With WNOWAIT the id stays reserved until the lock is held, so that no signal reaches another process.
            var information = unsafe siginfo_t()
            while unsafe waitid(P_PID, id_t(identifier), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
            var encoded: Int32 = 0
            isAlive.withLock { isAlive in
                isAlive = false
                kill(-identifier, SIGKILL)
                reaper?.remove(group: identifier)
                while unsafe waitpid(identifier, &encoded, 0) < 0, errno == EINTR {}
            }
            let signal = encoded & 0x7f
            status.fulfil(signal == 0 ? (encoded >> 8) & 0xff : 128 + signal)
        }
    }

    /// Sends a signal to the program. Does nothing if it has ended.
    func signal(_ number: Int32) {
        isAlive.withLock { if $0 { kill(identifier, number) } }
    }

    /// Kills the program and everything else in its process group.
    func killGroup() {
        isAlive.withLock { if $0 { kill(-identifier, SIGKILL) } }
    }
}

/// How to separate a new process from this one.
enum ProcessSeparation {
    /// It leads its own process group.
    case group
    /// It leads its own session, so that a terminal's Ctrl-C does not reach it.
    case session
}

/// Starts a program. For the parameters see `ChildProcess.init`.
///
/// - Returns: Its process id, for which the caller has to wait.
func spawn(
    _ program: String, _ arguments: [String], environment: [String: String],
    descriptors: (input: Int32, output: Int32, error: Int32), in separation: ProcessSeparation
) throws -> pid_t {
    #if os(Linux)
        var actions = unsafe posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
    #else
        var actions: posix_spawn_file_actions_t?
        var attributes: posix_spawnattr_t?
    #endif
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_adddup2(&actions, descriptors.input, 0)
    unsafe posix_spawn_file_actions_adddup2(&actions, descriptors.output, 1)
    unsafe posix_spawn_file_actions_adddup2(&actions, descriptors.error, 2)
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    // A program inherits blocked and ignored signals, and Dispatch's threads block most of them.
    var flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
    var none = sigset_t()
    var changed = sigset_t()
    unsafe sigemptyset(&none)
    unsafe sigemptyset(&changed)
    for number in [SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGQUIT] { unsafe sigaddset(&changed, number) }
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setsigdefault(&attributes, &changed)
    #if os(Linux)
        unsafe posix_spawn_file_actions_addclosefrom_np(&actions, 3)
        let session = Int32(posix_spawn_setsid)
        let group = Int32(POSIX_SPAWN_SETPGROUP)
    #else
        flags |= POSIX_SPAWN_CLOEXEC_DEFAULT
        let session = POSIX_SPAWN_SETSID
        let group = POSIX_SPAWN_SETPGROUP
    #endif
    switch separation {
    case .group: flags |= group
    case .session: flags |= session
    }
    unsafe posix_spawnattr_setflags(&attributes, Int16(flags))
    var identifier: pid_t = 0
    let failure = unsafe withCStrings([program] + arguments) { arguments in
        unsafe withCStrings(environment.map { "\($0.key)=\($0.value)" }) { environment in
            unsafe posix_spawnp(&identifier, program, &actions, &attributes, arguments, environment)
        }
    }
    guard failure == 0 else {
        let reason = unsafe String(cString: strerror(failure))
        throw ProgramError("cannot start \(program): \(reason)")
    }
    return identifier
}

/// Calls `body` with the null-terminated array of C strings that exec(3) needs. The array lives until `body` returns.
private func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    var pointers = unsafe strings.map { unsafe strdup($0) } + [nil]
    defer { for index in unsafe pointers.indices { unsafe free(pointers[index]) } }
    return unsafe pointers.withUnsafeMutableBufferPointer { buffer in
        // The array has at least the terminating null, so it has a base address.
        unsafe body(buffer.baseAddress.unsafelyUnwrapped)
    }
}
