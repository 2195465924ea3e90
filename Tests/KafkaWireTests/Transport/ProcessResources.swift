import Foundation

/// The descriptors and threads of this process, as Linux lists them.
enum ProcessResources {
    static let areKnown = FileManager.default.fileExists(atPath: "/proc/self/net/tcp")

    /// The content of a /proc file, whose size isn't known in advance.
    private static func kernelFile(_ path: String) throws -> String {
        let descriptor = unsafe open(path, O_RDONLY)
        // Not `#require`, which would fail a test although the caller uses `try?`.
        guard descriptor >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe read(descriptor, &chunk, chunk.count)
            if count <= 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += chunk[..<count]
        }
    }

    /// The number of entries in a folder of the process: `fd` for descriptors, `task` for threads.
    static func count(_ folder: String) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/\(folder)").count
    }

    /// The number of sockets of this process that are bound to a port or connected to it. Other processes may have
    /// sockets with the same port at the other end.
    static func sockets(port: UInt16) throws -> Int {
        let table = try kernelFile("/proc/self/net/tcp")
        let hexadecimal = ":" + String(port, radix: 16, uppercase: true)
        let inodes = table.split(separator: "\n").dropFirst().compactMap { line -> String? in
            let fields = line.split(separator: " ")
            guard fields.count > 9, fields[1].hasSuffix(hexadecimal) || fields[2].hasSuffix(hexadecimal) else {
                return nil
            }
            return "socket:[\(fields[9])]"
        }
        let own = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { descriptor in
            try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(descriptor)")
        }
        return Set(inodes).intersection(own).count
    }

    /// The number of threads whose name has this prefix.
    static func threads(named prefix: String) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count { task in
            // A thread may have ended meanwhile.
            (try? kernelFile("/proc/self/task/\(task)/comm"))?.hasPrefix(prefix) == true
        }
    }
}
