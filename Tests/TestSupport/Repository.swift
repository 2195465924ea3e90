import Foundation

/// Where things of this repository are.
package enum Repository {
    /// The repository's folder.
    package static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// A script of `scripts/`.
    package static func script(_ name: String) -> String {
        root.appending(path: "scripts").appending(path: name).path
    }

    /// The path of a program such as `tfi-consumer`: in the folder that `TFI_PROGRAMS` names if it is set, else the one
    /// that was built with the tests, beside the test bundle.
    ///
    /// - Throws: `ProgramError` if it isn't there.
    package static func program(_ name: String) throws -> String {
        if let folder = ProcessInfo.processInfo.environment["TFI_PROGRAMS"], !folder.isEmpty {
            let path = URL(filePath: folder).appending(path: name).path
            guard FileManager.default.isExecutableFile(atPath: path) else {
                throw ProgramError("there is no program \(name) in \(folder), which TFI_PROGRAMS names")
            }
            return path
        }
        let bundles = [Bundle.main.executableURL, Bundle.main.bundleURL, URL(filePath: CommandLine.arguments[0])]
        for bundle in bundles.compactMap({ $0 }) {
            var folder = bundle.deletingLastPathComponent()
            // On macOS the test bundle's program lies a few folders down in the bundle.
            for _ in 0..<4 {
                let path = folder.appending(path: name).path
                if FileManager.default.isExecutableFile(atPath: path) { return path }
                folder.deleteLastPathComponent()
            }
        }
        throw ProgramError("the program \(name) isn't beside the test bundle: build with `swift build --build-tests`")
    }
}

/// A folder of its own below the system's temporary folder, removed with the last reference to it.
package final class TemporaryFolder: Sendable {
    package let url: URL
    package var path: String { url.path }

    package init() throws {
        url = try Self.make()
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    /// Makes a folder that nothing removes by itself. Its path is short, since a Unix socket's path has to be.
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
