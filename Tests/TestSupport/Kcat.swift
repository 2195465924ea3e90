import Foundation

/// Debian's kcat, the program whose command line kafkawire supports.
package enum Kcat {
    /// The path of the program; nil if it is not installed.
    package static let path: String? = {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        return folders.map { $0 + "/kcat" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }()

    /// Why tests that need it are skipped if it is not installed.
    package static let skipReason = "no kcat found: install it (on Debian: apt-get install kcat)"
}
