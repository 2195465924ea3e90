import Foundation

/// The log of a long-running program: lines on standard error with time, level and fields.
///
/// It is a value: ``adding(_:_:)`` makes a log for a part of the program, whose lines all have another field.
public struct Log: Sendable {
    /// The levels, from most to least important.
    public enum Level: String, Sendable, CaseIterable, Comparable {
        case error, warning, info, debug

        public static func < (one: Level, other: Level) -> Bool { one.rank < other.rank }
        private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    }

    public enum Format: String, Sendable, CaseIterable {
        /// `2026-11-30T14:02:11.120Z info message field=value`
        case text
        /// An object with the members `time`, `level` and `message`, and the fields.
        case json
    }

    public typealias Fields = KeyValuePairs<String, JSONValue>

    private struct Destination: Sendable {
        let level: Level
        let line: @Sendable (Level, String, [JSONValue.Member]) -> String
        let write: @Sendable (String) -> Void
    }

    private let destination: Destination?
    private var context: [JSONValue.Member] = []

    /// - Parameters:
    ///   - level: The least important level to write.
    ///   - write: Receives each line without a line feed.
    public init(
        format: Format = .text, level: Level = .info, now: @escaping @Sendable () -> Date = { Date() },
        write: @escaping @Sendable (String) -> Void = { StatusLine.shared.message($0) }
    ) {
        destination = Destination(
            level: level,
            line: { level, message, fields in
                let time = now().ISO8601Format(.init(includingFractionalSeconds: true))
                switch format {
                case .text: return "\(time) \(level.rawValue) \(message)\(Self.text(fields))"
                case .json:
                    let own: [JSONValue.Member] = [
                        .init("time", .string(time)), .init("level", .string(level.rawValue)),
                        .init("message", .string(message)),
                    ]
                    return JSONValue.object(own + fields).text
                }
            }, write: write)
    }

    /// The log of a short command: each line begins with the program's name, like its errors.
    public init(ofCommandOf program: String) {
        destination = Destination(
            level: .info, line: { _, message, fields in "\(program): \(message)\(Self.text(fields))" },
            write: { StatusLine.shared.message($0) })
    }

    private init() { destination = nil }

    /// A log that writes nothing.
    public static let none = Log()

    /// A log with an additional field in each line.
    public func adding(_ name: String, _ value: JSONValue) -> Log {
        var log = self
        log.context.append(.init(name, value))
        return log
    }

    public func error(_ message: String, _ fields: Fields = [:]) { write(.error, message, fields) }
    /// Reports a wait, or something that was skipped.
    public func warning(_ message: String, _ fields: Fields = [:]) { write(.warning, message, fields) }
    public func info(_ message: String, _ fields: Fields = [:]) { write(.info, message, fields) }
    public func debug(_ message: String, _ fields: Fields = [:]) { write(.debug, message, fields) }

    private func write(_ level: Level, _ message: String, _ fields: Fields) {
        guard let destination, level <= destination.level else { return }
        let fields = context + fields.map { JSONValue.Member($0.key, $0.value) }
        destination.write(destination.line(level, message, fields))
    }

    private static func text(_ fields: [JSONValue.Member]) -> String {
        fields.map { " \($0.name)=\(text($0.value))" }.joined()
    }

    /// A field's value: quoted unless it is one word.
    private static func text(_ value: JSONValue) -> String {
        guard case .string(let text) = value else { return value.text }
        let isWord = !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x22 && $0 != 0x3D && $0 != 0x5C }
        return isWord ? text : value.text
    }
}
