import Foundation

/// Debian's kcat, the program whose command lines kafkawire takes.
package enum Kcat {
    /// The program; nil if it isn't installed.
    package static let path: String? = {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        return folders.map { $0 + "/kcat" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }()

    /// Why tests that need it are left out if it isn't installed.
    package static let skipReason = "no kcat here: install it (on Debian: apt-get install kcat)"
}
