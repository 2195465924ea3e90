import Foundation

/// What this process has used so far. Source: getrusage(2); for memory on Linux proc(5).
public struct ResourceUsage: Sendable, Equatable {
    /// The most memory that was resident at once, in MiB.
    public var maxResidentMB: Double
    public var userSeconds: Double
    public var systemSeconds: Double

    public init(maxResidentMB: Double, userSeconds: Double, systemSeconds: Double) {
        self.maxResidentMB = maxResidentMB
        self.userSeconds = userSeconds
        self.systemSeconds = systemSeconds
    }

    public static var current: ResourceUsage {
        var usage = rusage()
        // getrusage fills the structure that it is lent for the call.
        #if canImport(Darwin)
            unsafe getrusage(RUSAGE_SELF, &usage)
            let residentBytes = Double(usage.ru_maxrss)
        #else
            unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
            // The kernel's number survives exec, so it can be that of the process that has started this one.
            let residentBytes = peakResidentBytes ?? Double(usage.ru_maxrss) * 1024
        #endif
        return ResourceUsage(
            maxResidentMB: residentBytes / (1024 * 1024), userSeconds: seconds(usage.ru_utime),
            systemSeconds: seconds(usage.ru_stime))
    }

    /// The bytes of memory that are resident now; nil if the system doesn't tell.
    public static var residentBytes: Double? {
        #if canImport(Darwin)
            nil
        #else
            status("VmRSS:")
        #endif
    }

    #if !canImport(Darwin)
        /// It begins anew with each program.
        private static var peakResidentBytes: Double? { status("VmHWM:") }

        /// A line of /proc/self/status, in bytes; nil if it can't be read.
        private static func status(_ name: String) -> Double? {
            guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else { return nil }
            let line = status.split(separator: "\n").first { $0.hasPrefix(name) }
            return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Double($0) }.map {
                $0 * 1024
            }
        }
    #endif

    private static func seconds(_ time: timeval) -> Double {
        Double(time.tv_sec) + Double(time.tv_usec) / 1e6
    }
}
