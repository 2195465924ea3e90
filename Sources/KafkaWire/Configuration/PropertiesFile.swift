import Concurrency
import Foundation

/// A file of settings as Kafka's Java tools read them: the format of `java.util.Properties`.
///
/// ```
/// # where to ask first
/// bootstrap.servers = 127.0.0.1:9092, \
///                     127.0.0.1:9093
/// client.id: press-3
/// ```
/// - A line whose first character is `#` or `!` is a comment. Blank lines count for nothing.
/// - A name ends at the first `=`, `:` or blank; blanks around that are dropped, those at the end of a value are kept.
/// - A line that ends with a backslash goes on in the next one, without the blanks at its beginning.
/// - `\t`, `\n`, `\r`, `\f` and `\uXXXX` are what they are in Java; a backslash before anything else is dropped, so one
///   that is meant is written twice.
/// - The text is UTF-8; a file that isn't is taken for ISO-8859-1, the encoding that Java writes.
/// - Of a name that is given twice the last counts.
///
/// Who prints or dumps a file, or one of its entries, sees names and no values.
public struct PropertiesFile: Sendable {
    /// One setting of the file.
    public struct Entry: Sendable, Hashable {
        /// By Kafka's name, as it stands there.
        public let name: String
        /// May be a password: not for printing.
        public let value: String
        /// Where it stands, or begins where it goes over several; from 1.
        public let line: Int
    }

    /// What errors call the file.
    public let path: String
    /// In the file's order.
    public let entries: [Entry]

    /// Reads a file's content that is at hand.
    ///
    /// - Parameters:
    ///   - content: The file's bytes, in UTF-8 or ISO-8859-1.
    ///   - path: What errors call the file.
    /// - Throws: INVALID_CONFIG for a `\u` without four hexadecimal digits, naming file and line.
    public init(_ content: some Sequence<UInt8>, path: String) throws(KafkaError) {
        self.path = path
        var parser = PropertiesParser(content, path: path)
        entries = try parser.entries()
    }

    /// Reads a file, on a thread that may block.
    ///
    /// - Throws: RESOURCE_NOT_FOUND where the file can't be read, with the system's reason; INVALID_CONFIG for what
    ///   `init` refuses.
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

    /// The settings by name; values may be passwords: not for printing.
    public var properties: [String: String] {
        Dictionary(entries.map { ($0.name, $0.value) }, uniquingKeysWith: { _, last in last })
    }
}

// Values are hidden whatever their names: which may be shown depends on whose settings they are, and a name that is
// mistyped says nothing of its value.
extension PropertiesFile: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "\(path): " + entries.map(\.name).joined(separator: ", ") }
    public var debugDescription: String { description }
    /// With names alone, for `dump` and debuggers.
    public var customMirror: Mirror { Mirror(self, children: ["path": path, "entries": entries]) }
}

extension PropertiesFile.Entry: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "\(name)=\(Secret.mask)" }
    public var debugDescription: String { description }
    /// With the name and the line alone, for `dump` and debuggers.
    public var customMirror: Mirror { Mirror(self, children: ["name": name, "line": line]) }
}
