import CommandLineSupport
import Foundation
import KafkaWire

/// Reads settings files, in the format of Kafka's Java tools or of kcat.
enum SettingsFile {
    /// Reads a file of `-F`, and detects its format by the names in it.
    ///
    /// The formats differ in the meaning of a backslash. A file is in kcat's format if one of its names exists only in
    /// librdkafka.
    ///
    /// - Throws: A failure of status `noInput` if the file can't be read, or `usage` if it violates its format.
    static func read(_ path: String) async throws -> [Setting] {
        let content = try await content(of: path)
        let lines = KcatFile.settings(content, path: path)
        if case .success(let settings) = lines, settings.contains(where: { LibrdkafkaSettings.isForeign($0.name) }) {
            return settings
        }
        do throws(KafkaError) {
            let file = try PropertiesFile(content, path: ShownArgument.name(path))
            return file.entries.map { Setting(name: $0.name, value: $0.value, place: place(path, $0.line)) }
        } catch {
            throw Failure(error.message, status: .usage)
        }
    }

    /// Reads a file in kcat's format.
    ///
    /// - Throws: The same as `read`.
    static func readKcat(_ path: String) async throws -> [Setting] {
        try KcatFile.settings(try await content(of: path), path: path).get()
    }

    private static func content(of path: String) async throws -> [UInt8] {
        var content: [UInt8] = []
        var chunks = InputReader(.file(path)).makeIterator()
        while let chunk = try await chunks.next() { content += chunk }
        return content
    }

    static func place(_ path: String, _ line: Int) -> String { "\(ShownArgument.name(path)), line \(line)" }
}

/// kcat's format of settings files: `name=value` on each line, and lines of comments that begin with `#`.
///
/// Blanks around a line and around the first equals sign are ignored. A backslash before `:` or `=` is dropped; any
/// other backslash is part of the value. Lines can't be continued.
enum KcatFile {
    /// - Returns: The settings, or a failure of status `usage` for the first invalid line.
    static func settings(_ content: [UInt8], path: String) -> Result<[Setting], Failure> {
        var settings: [Setting] = []
        for (index, bytes) in content.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .enumerated()
        {
            let line = trimmed(String(decoding: bytes, as: UTF8.self)[...])
            guard let first = line.first, first != "#" else { continue }
            let text = line.replacing("\\:", with: ":").replacing("\\=", with: "=")
            let place = SettingsFile.place(path, index + 1)
            guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
                return .failure(Failure("\(place): NAME=VALUE is expected", status: .usage))
            }
            settings.append(
                Setting(
                    name: String(trimmed(text[..<equals])),
                    value: String(trimmed(text[text.index(after: equals)...])), place: place))
        }
        return .success(settings)
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var rest = text
        while rest.first?.isWhitespace == true { rest = rest.dropFirst() }
        while rest.last?.isWhitespace == true { rest = rest.dropLast() }
        return rest
    }
}
