import Foundation

/// Whether the long tests run, too (`TFI_LONG_TESTS=1`).
package enum LongTests {
    package static let areEnabled = !(ProcessInfo.processInfo.environment["TFI_LONG_TESTS"] ?? "").isEmpty

    /// The number of cases or rounds that a test runs: a sample in the quick suites, all in the long tests.
    package static func count(_ all: Int, quick sample: Int) -> Int { areEnabled ? all : sample }
}
