import IngestEngine

/// Feeds arbitrary bytes to the parsers of the ingest engine: mapping files, paths, messages, and samples.
///
/// Any input is either parsed or refused. Printing and parsing a parsed value gives an equal value. The encoder's fast
/// path gives the same rows as the general one, in the binary form of the columns' types. A table that is proposed for
/// samples accepts them.
package enum IngestFuzzer: String, CaseIterable, Sendable {
    case mapping
    case path
    case encoder
    case inference

    /// A property that doesn't hold.
    package struct Finding: Error, CustomStringConvertible {
        package let description: String
    }

    /// Runs one input.
    ///
    /// - Returns: Whether the input was accepted: a valid mapping or path, or a message that became a row.
    /// - Throws: `Finding`
    @discardableResult
    package func run(_ input: [UInt8]) throws -> Bool {
        switch self {
        case .mapping: try Self.readMapping(input)
        case .path: try Self.readPaths(input)
        case .encoder: try EncoderInput(input).run()
        case .inference: try InferenceInput(input).run()
        }
    }

    /// The initial inputs.
    package var seeds: [[UInt8]] {
        switch self {
        case .mapping: Self.mappings.map { Array($0.utf8) }
        case .path: Self.paths.map { Array($0.utf8) }
        case .encoder: Self.messages
        case .inference: Self.samples.map { Array($0.utf8) }
        }
    }

    /// Separates the paths or messages of an input: a byte that is rare in both.
    static let separator: UInt8 = 0x1e

    // MARK: Mappings

    private static func readMapping(_ input: [UInt8]) throws -> Bool {
        let mapping: Mapping
        do {
            mapping = try MappingFile.read(input, named: "f.yaml")
        } catch {
            guard error.line >= 1 else { throw Finding(description: "the error has no line: \(error)") }
            return false
        }
        let text = mapping.yaml
        do {
            let again = try MappingFile.read(Array(text.utf8), named: "again.yaml")
            // Equal strings may have different bytes.
            guard again == mapping, again.yaml.utf8.elementsEqual(text.utf8) else {
                throw Finding(description: "the printed mapping parses to a different one:\n\(text)\n\(again.yaml)")
            }
        } catch let error as MappingError {
            throw Finding(description: "the printed mapping can't be parsed: \(error)\n\(text)")
        }
        return true
    }

    // MARK: Paths

    /// Parses paths, and looks up each one's value in a message that contains it.
    private static func readPaths(_ input: [UInt8]) throws -> Bool {
        var paths: [JSONPath] = []
        for text in input.split(separator: separator, maxSplits: 7) {
            guard let path = try readPath(String(decoding: text, as: UTF8.self)) else { return false }
            paths.append(path)
        }
        guard !paths.isEmpty else { return false }
        var fields = MessageFields(paths)
        for (index, path) in paths.enumerated() {
            guard let message = message(with: path) else { continue }
            if let reason = unsafe fields.read(message.span.bytes) {
                // A path that begins with a field refuses a message that isn't an object.
                guard !startsWithField(path), paths.contains(where: startsWithField) else {
                    throw Finding(description: "the paths \(paths) refuse the message of \(path): \(reason)")
                }
                continue
            }
            guard let value = fields.value(index), message[value.range].elementsEqual("7".utf8) || path.steps.isEmpty
            else { throw Finding(description: "the paths \(paths) don't find the value of \(path)") }
            // Only an equal path ends at the same value.
            for (other, second) in paths.enumerated() {
                guard (fields.value(other) == value) == (second == path) else {
                    throw Finding(description: "the value of \(path) is also found for \(second)")
                }
            }
        }
        return true
    }

    private static func readPath(_ text: String) throws -> JSONPath? {
        let path: JSONPath
        do {
            path = try JSONPath(text)
        } catch {
            return nil
        }
        do {
            let again = try JSONPath(path.description)
            guard again == path, again.description.utf8.elementsEqual(path.description.utf8) else {
                throw Finding(description: "the printed path \(path) parses to a different one: \(again)")
            }
        } catch let error as JSONPathError {
            throw Finding(description: "the printed path \(path) can't be parsed: \(error.message)")
        }
        return path
    }

    private static func startsWithField(_ path: JSONPath) -> Bool {
        if case .field? = path.steps.first { true } else { false }
    }

    /// A message that contains only the number 7 at a path; nil for names that no message can have, and for large
    /// arrays.
    private static func message(with path: JSONPath) -> [UInt8]? {
        var message = Array("7".utf8)
        for step in path.steps.reversed() {
            switch step {
            case .field(let name):
                guard !name.utf8.contains(0) else { return nil }
                message =
                    Array("{\"extra\":0,\"".utf8) + escaped(name) + Array("\" : ".utf8) + message + Array("}".utf8)
            case .element(let index):
                guard index <= 100 else { return nil }
                message = Array(("[" + String(repeating: "null, ", count: index)).utf8) + message + Array(", 8]".utf8)
            }
        }
        return message
    }

    private static func escaped(_ name: String) -> [UInt8] {
        name.utf8.flatMap { byte -> [UInt8] in
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): [UInt8(ascii: "\\"), byte]
            case ..<0x10: Array("\\u000".utf8) + Array(String(byte, radix: 16).utf8)
            case ..<0x20: Array("\\u00".utf8) + Array(String(byte, radix: 16).utf8)
            default: [byte]
            }
        }
    }
}
