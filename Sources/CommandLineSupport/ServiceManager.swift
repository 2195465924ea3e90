import Foundation

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The service manager that started the program, such as systemd, and receives status notifications.
///
/// Source: sd_notify(3).
public struct ServiceManager: Sendable {
    /// The socket's path; in Linux's abstract namespace if it begins with a NUL.
    private let path: [UInt8]
    /// The interval between notifications that the program is healthy; nil if there is no watchdog.
    public let watchdogInterval: Duration?

    /// The service manager of this process; nil if there is none.
    public static let current = ServiceManager(environment: ProcessInfo.processInfo.environment, processID: getpid())

    init?(environment: [String: String], processID: Int32) {
        guard var path = environment["NOTIFY_SOCKET"].map({ Array($0.utf8) }),
            let first = path.first, first == UInt8(ascii: "/") || first == UInt8(ascii: "@"),
            path.count < MemoryLayout.size(ofValue: sockaddr_un().sun_path)
        else { return nil }
        if first == UInt8(ascii: "@") { path[0] = 0 }
        self.path = path
        let isWatched = environment["WATCHDOG_PID"].map { Int32($0) == processID } ?? true
        let microseconds = environment["WATCHDOG_USEC"].flatMap { Int64($0) } ?? 0
        // Half of the required interval, as systemd recommends.
        watchdogInterval = isWatched && microseconds > 0 ? .microseconds(microseconds / 2) : nil
    }

    /// Sends a notification, such as `READY=1`. Doesn't wait for a manager that isn't receiving.
    public func notify(_ assignments: String...) {
        #if canImport(Darwin)
            let kind = SOCK_DGRAM
        #else
            let kind = Int32(SOCK_DGRAM.rawValue)
        #endif
        let descriptor = socket(AF_UNIX, kind, 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // The length was checked in the initializer.
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { target in unsafe target.copyBytes(from: path) }
        let prefix = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 0
        let length = socklen_t(prefix + path.count)
        let message = Array(assignments.joined(separator: "\n").utf8)
        // Both pointers are used only during the call.
        unsafe withUnsafeBytes(of: &address) { bytes in
            guard let base = bytes.baseAddress else { return }
            _ = unsafe message.withUnsafeBytes { message in
                unsafe sendto(
                    descriptor, message.baseAddress, message.count, Int32(MSG_DONTWAIT),
                    base.assumingMemoryBound(to: sockaddr.self), length)
            }
        }
    }
}
