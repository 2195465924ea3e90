import CommandLineSupport
import Concurrency
import Foundation

/// The run's log, on standard error and in a file. Each line begins with the seconds since the start. It also collects
/// the faults that were found, which make the run fail.
final class Journal: Sendable {
    private let began = ContinuousClock.now
    private let folder: URL
    private let state: Lock<(file: FileHandle, findings: [String])>

    /// - Parameter folder: The folder of the logs. Files of an earlier run are removed.
    init(folder: URL) throws {
        self.folder = folder
        let manager = FileManager.default
        try manager.createDirectory(at: folder, withIntermediateDirectories: true)
        for file in try manager.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        where file.pathExtension == "log" {
            try manager.removeItem(at: file)
        }
        state = Lock((try Self.open(folder.appending(path: "chaos.log")), []))
    }

    private static func open(_ url: URL) throws -> FileHandle {
        if !FileManager.default.fileExists(atPath: url.path) { try Data().write(to: url) }
        let handle = try FileHandle(forWritingTo: url)
        _ = try handle.seekToEnd()
        return handle
    }

    func say(_ text: String) {
        let line =
            "\(Numbers.fixed((ContinuousClock.now - began) / .seconds(1), decimals: 1).leftPadded(to: 7)) s  \(text)"
        StatusLine.shared.message(line)
        state.withLock { state in try? state.file.write(contentsOf: Data((line + "\n").utf8)) }
    }

    /// Records a fault that was found.
    func find(_ text: String) {
        say("FAULT FOUND: \(text)")
        state.withLock { $0.findings.append(text) }
    }

    var findings: [String] { state.withLock { $0.findings } }

    /// Copies a server's log.
    func keep(_ log: URL, as name: String) {
        try? FileManager.default.copyItem(at: log, to: folder.appending(path: "\(name).log"))
    }

    /// Appends a program's output to its own file.
    func keep(_ text: String, in name: String) {
        guard let handle = try? Self.open(folder.appending(path: "\(name).log")) else { return }
        try? handle.write(contentsOf: Data(text.utf8))
        try? handle.close()
    }
}

extension String {
    /// The text, padded with spaces on the left.
    func leftPadded(to width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
}
