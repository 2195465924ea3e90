import Foundation

/// A pipe whose only purpose is to end an event loop's wait.
@safe final class WakeUp: Sendable {
    let readEnd: Int32
    private let writeEnd: Int32

    /// - Throws: `errno`, where the process has no descriptor left.
    init() throws(SocketError) {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { throw SocketError(errno) }
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        readEnd = ends[0]
        writeEnd = ends[1]
    }

    deinit {
        close(readEnd)
        close(writeEnd)
    }

    /// Ends the wait. Where the pipe is full there is a wake-up in it already.
    func signal() {
        var byte: UInt8 = 0
        _ = unsafe write(writeEnd, &byte, 1)
    }

    /// Takes the wake-ups out again.
    func drain() {
        // There is mostly one.
        var bytes: UInt64 = 0
        while unsafe read(readEnd, &bytes, 8) == 8 {}
    }
}
