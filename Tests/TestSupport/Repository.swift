import Foundation

/// Paths in this repository.
package enum Repository {
    /// The repository's folder.
    package static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The path of a script in `scripts/`.
    package static func script(_ name: String) -> String {
        root.appending(path: "scripts").appending(path: name).path
    }

    /// The path of a program such as `tfi-consumer`: in the folder `TFI_PROGRAMS` if it is set, otherwise beside the
    /// test bundle, where the tests were built.
    ///
    /// - Throws: `ProgramError` if the program does not exist.
    package static func program(_ name: String) throws -> String {
        if let folder = ProcessInfo.processInfo.environment["TFI_PROGRAMS"], !folder.isEmpty {
            let path = URL(filePath: folder).appending(path: name).path
            guard FileManager.default.isExecutableFile(atPath: path) else {
                throw ProgramError("no program \(name) in \(folder), the folder of TFI_PROGRAMS")
            }
            return path
        }
        let bundles = [Bundle.main.executableURL, Bundle.main.bundleURL, URL(filePath: CommandLine.arguments[0])]
        for bundle in bundles.compactMap({ $0 }) {
            var folder = bundle.deletingLastPathComponent()
            // On macOS the executable is a few levels down in the test bundle.
            for _ in 0..<4 {
                let path = folder.appending(path: name).path
                if FileManager.default.isExecutableFile(atPath: path) { return path }
                folder.deleteLastPathComponent()
            }
        }
        throw ProgramError("the program \(name) is not beside the test bundle: build with `swift build --build-tests`")
    }
}

/// A new folder in the system's temporary folder, removed with the last reference to this object.
package final class TemporaryFolder: Sendable {
    package let url: URL
    package var path: String { url.path }

    package init() throws {
        url = try Self.make()
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    /// Creates a folder that is not removed automatically. Its path is short, as needed for Unix sockets.
    static func make() throws -> URL {
        while true {
            let name = "tfi-" + String(UInt64.random(in: 0..<(1 << 40)), radix: 36)
            let url = FileManager.default.temporaryDirectory.appending(path: name)
            do {
                try FileManager.default.createDirectory(
                    at: url, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
                return url
            } catch CocoaError.fileWriteFileExists {
                continue
            }
        }
    }
}
