import Foundation

/// A small process that kills this process's programs once it has ended, even by SIGKILL.
///
/// It reads the programs' process groups from a pipe. Only this process holds the pipe's other end, so the pipe closes
/// exactly when this process ends. See `scripts/reap.sh`.
final class ProcessReaper: Sendable {
    static let shared = Result { try ProcessReaper() }

    private let input: FileHandle

    private init() throws {
        let pipe = try DescriptorPair()
        let null = try FileHandle(forWritingTo: URL(filePath: "/dev/null"))
        _ = try spawn(
            Repository.script("reap.sh"), [], environment: ProcessInfo.processInfo.environment,
            descriptors: (pipe.reading.fileDescriptor, null.fileDescriptor, null.fileDescriptor), in: .session)
        input = pipe.writing
    }

    func add(group: pid_t) { write("+\(group)\n") }

    /// Call it while the group's id cannot belong to another process yet.
    func remove(group: pid_t) { write("-\(group)\n") }

    // A line is shorter than PIPE_BUF, so lines of several threads do not interleave.
    private func write(_ line: String) {
        try? input.write(contentsOf: Data(line.utf8))
    }
}

/// A pipe that programs started by other code do not inherit.
struct DescriptorPair {
    let reading: FileHandle
    let writing: FileHandle

    init() throws {
        var descriptors: [Int32] = [-1, -1]
        guard unsafe pipe(&descriptors) == 0 else { throw ProgramError("no pipe: error \(errno)") }
        for descriptor in descriptors { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        reading = FileHandle(fileDescriptor: descriptors[0], closeOnDealloc: true)
        writing = FileHandle(fileDescriptor: descriptors[1], closeOnDealloc: true)
    }
}
