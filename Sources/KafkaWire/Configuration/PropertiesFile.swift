import Concurrency
import Foundation

/// A settings file in the format of Kafka's Java tools (`java.util.Properties`).
///
/// ```
/// # the first brokers to contact
/// bootstrap.servers = 127.0.0.1:9092, \
///                     127.0.0.1:9093
/// client.id: press-3
/// ```
/// - A line whose first character is `#` or `!` is a comment. Comments and blank lines are ignored.
/// - A name ends at the first `=`, `:` or blank. Blanks around the separator are dropped; blanks at the end of a value are
///   kept.
/// - A line that ends with a backslash continues on the next line, whose leading blanks are dropped.
/// - `\t`, `\n`, `\r`, `\f` and `\uXXXX` are escapes as in Java. A backslash before any other character is dropped, so
///   write a literal backslash twice.
/// - The encoding is UTF-8. A file that is not valid UTF-8 is read as ISO-8859-1, the encoding that Java writes.
/// - If a name occurs several times, the last value applies.
///
/// Printing or dumping a file or an entry shows names but no values.
public struct PropertiesFile: Sendable {
    /// One setting of the file.
    public struct Entry: Sendable, Hashable {
        /// The name, as in the file.
        public let name: String
        /// The value. It may be a password, so do not print it.
        public let value: String
        /// The number of the line, or of the first line if the entry has several; from 1.
        public let line: Int
    }

    /// The file's name in errors.
    public let path: String
    /// The settings in the file's order.
    public let entries: [Entry]

    /// Parses the content of a file.
    ///
    /// - Parameters:
    ///   - content: The file's bytes, in UTF-8 or ISO-8859-1.
    ///   - path: The file's name in errors.
    /// - Throws: INVALID_CONFIG with file and line, for a `\u` without four hexadecimal digits.
    public init(_ content: some Sequence<UInt8>, path: String) throws(KafkaError) {
        self.path = path
        var parser = PropertiesParser(content, path: path)
        entries = try parser.entries()
    }

    /// Reads a file, on a thread that may block.
    ///
    /// - Throws: RESOURCE_NOT_FOUND with the system's reason if the file can't be read; INVALID_CONFIG as
    ///   ``init(_:path:)``.
    public static func read(_ path: String) async throws(KafkaError) -> PropertiesFile {
        let content = await DispatchQueue(label: "settings").value { contents(of: path) }
        return try PropertiesFile(try content.get(), path: path)
    }

    private static func contents(of path: String) -> Result<[UInt8], KafkaError> {
        func failure() -> KafkaError {
            let reason = unsafe String(cString: strerror(errno))
            return KafkaError(.resourceNotFound, "the settings file \(Secret.shownPath(path)) can't be read: \(reason)")
        }
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return .failure(failure()) }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe Foundation.read(descriptor, &chunk, chunk.count)
            if count > 0 {
                content += chunk[..<count]
            } else if count == 0 {
                return .success(content)
            } else if errno != EINTR {
                return .failure(failure())
            }
        }
    }

    /// The settings by name. Values may be passwords, so do not print them.
    public var properties: [String: String] {
        Dictionary(entries.map { ($0.name, $0.value) }, uniquingKeysWith: { _, last in last })
    }
}

// All values are hidden: this type doesn't know which names are secret, and the name of a secret may be mistyped.
extension PropertiesFile: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "\(path): " + entries.map(\.name).joined(separator: ", ") }
    public var debugDescription: String { description }
    /// A mirror with names but no values, for `dump` and debuggers.
    public var customMirror: Mirror { Mirror(self, children: ["path": path, "entries": entries]) }
}

extension PropertiesFile.Entry: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "\(name)=\(Secret.mask)" }
    public var debugDescription: String { description }
    /// A mirror with the name and the line but no value, for `dump` and debuggers.
    public var customMirror: Mirror { Mirror(self, children: ["name": name, "line": line]) }
}
