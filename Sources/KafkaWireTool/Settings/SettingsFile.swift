import CommandLineSupport
import Foundation
import KafkaWire

/// The files that hold settings: those of Kafka's Java tools, and those of kcat.
enum SettingsFile {
    /// Reads a file of `-F`, in the format that its names tell.
    ///
    /// The two formats differ in what a backslash means. A file with a name that only librdkafka has is kcat's.
    ///
    /// - Throws: A failure of status `noInput` if the file can't be read, and `usage` for what is not of its format.
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

    /// Reads a file that is kcat's by its place.
    ///
    /// - Throws: As `read`.
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

/// A file of settings as kcat reads it: `name=value` on each line, `#` begins a comment.
///
/// Blanks around a line, and around the first equals sign, don't count. A backslash before `:` or `=` is dropped, any other
/// one is part of the value, and no line continues in the next one.
enum KcatFile {
    /// - Returns: The settings, or a failure of status `usage` for the first line of another form.
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
