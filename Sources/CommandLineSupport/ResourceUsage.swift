import Foundation

/// The resources that this process has used. Source: getrusage(2); for memory on Linux proc(5).
public struct ResourceUsage: Sendable, Equatable {
    /// The peak resident memory in MiB.
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
        // getrusage fills the structure and keeps no pointer to it.
        #if canImport(Darwin)
            unsafe getrusage(RUSAGE_SELF, &usage)
            let residentBytes = Double(usage.ru_maxrss)
        #else
            unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
            // The kernel's number survives exec, so it can be that of the parent process.
            let residentBytes = peakResidentBytes ?? Double(usage.ru_maxrss) * 1024
        #endif
        return ResourceUsage(
            maxResidentMB: residentBytes / (1024 * 1024), userSeconds: seconds(usage.ru_utime),
            systemSeconds: seconds(usage.ru_stime))
    }

    /// The current resident memory in bytes; nil if unknown.
    public static var residentBytes: Double? {
        #if canImport(Darwin)
            nil
        #else
            status("VmRSS:")
        #endif
    }

    #if !canImport(Darwin)
        /// The peak resident memory in bytes, which exec resets; nil if unknown.
        private static var peakResidentBytes: Double? { status("VmHWM:") }

        /// A value of /proc/self/status in bytes; nil if it can't be read.
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
