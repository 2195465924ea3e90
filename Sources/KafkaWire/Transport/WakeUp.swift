import Foundation

/// A pipe that ends an event loop's wait.
@safe final class WakeUp: Sendable {
    let readEnd: Int32
    private let writeEnd: Int32

    /// - Throws: `errno`, if the process has no descriptor left.
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

    /// Ends the wait. If the pipe is full, it has a wake-up already.
    func signal() {
        var byte: UInt8 = 0
        _ = unsafe write(writeEnd, &byte, 1)
    }

    /// Removes the wake-ups.
    func drain() {
        // Mostly there is one.
        var bytes: UInt64 = 0
        while unsafe read(readEnd, &bytes, 8) == 8 {}
    }
}
