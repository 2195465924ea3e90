/// Encodes a message by its definition.
///
/// It shares no code with the library's encoder, so that it doesn't share its mistakes.
///
/// Sources: Kafka protocol guide, "Protocol Primitive Types"; KIP-482.
struct DefinitionEncoder {
    /// The version can't encode a value that the receiver must not ignore.
    struct Refused: Error {
        let field: String
    }

    let version: Int
    let isFlexible: Bool
    private(set) var bytes: [UInt8] = []

    static func encode(_ value: FieldValue, by definition: MessageDefinition, version: Int) throws -> [UInt8] {
        var encoder = DefinitionEncoder(version: version, isFlexible: version >= definition.firstFlexibleVersion)
        try encoder.structure(value, definition.fields)
        return encoder.bytes
    }

    private mutating func structure(_ value: FieldValue, _ fields: [FieldDefinition]) throws {
        guard case .structure(let values) = value else { throw DefinitionError("\(value) isn't a structure") }
        var tagged: [(tag: UInt32, content: [UInt8])] = []
        for field in fields {
            guard let value = values[field.name] else { throw DefinitionError("\(field.name) has no value") }
            guard field.versions.contains(version) else {
                if !field.isIgnorable, value != field.defaultValue { throw Refused(field: field.name) }
                continue
            }
            if let tag = field.tag, field.taggedVersions?.contains(version) == true {
                guard value != field.defaultValue else { continue }
                var content = DefinitionEncoder(version: version, isFlexible: isFlexible)
                try content.field(value, field)
                tagged.append((tag, content.bytes))
            } else {
                try self.field(value, field)
            }
        }
        guard isFlexible else { return }
        varint(tagged.count)
        for (tag, content) in tagged.sorted(by: { $0.tag < $1.tag }) {
            varint(Int(tag))
            varint(content.count)
            bytes += content
        }
    }

    private mutating func field(_ value: FieldValue, _ field: FieldDefinition) throws {
        if value == .null {
            guard field.nullableVersions?.contains(version) == true else { throw Refused(field: field.name) }
        }
        guard field.isArray else { return try element(value, field) }
        guard case .array(let elements) = value else { return length(nil, width: 4) }
        length(elements.count, width: 4)
        for element in elements { try self.element(element, field) }
    }

    private mutating func element(_ value: FieldValue, _ field: FieldDefinition) throws {
        switch (field.type, value) {
        case ("bool", .bool(let bool)): bytes.append(bool ? 1 : 0)
        case ("int8", .integer(let number)): integer(number, width: 1)
        case ("int16", .integer(let number)): integer(number, width: 2)
        case ("int32", .integer(let number)): integer(number, width: 4)
        case ("int64", .integer(let number)): integer(number, width: 8)
        case ("uuid", .uuid(let high, let low)):
            integer(Int64(bitPattern: high), width: 8)
            integer(Int64(bitPattern: low), width: 8)
        case ("string", .null): length(nil, width: 2)
        case ("string", .string(let text)):
            length(text.utf8.count, width: 2)
            bytes += Array(text.utf8)
        case ("bytes", .null), ("records", .null): length(nil, width: 4)
        case ("bytes", .bytes(let content)), ("records", .bytes(let content)):
            length(content.count, width: 4)
            bytes += content
        // A nullable structure begins with a byte; array elements are never null.
        case (_, .null): integer(-1, width: 1)
        case (_, .structure):
            if field.nullableVersions?.contains(version) == true, !field.isArray { integer(1, width: 1) }
            try structure(value, field.fields)
        default: throw DefinitionError("\(value) isn't of type \(field.type)")
        }
    }

    private mutating func length(_ length: Int?, width: Int) {
        if isFlexible {
            varint((length ?? -1) + 1)
        } else {
            integer(Int64(length ?? -1), width: width)
        }
    }

    private mutating func integer(_ number: Int64, width: Int) {
        for byte in (0..<width).reversed() { bytes.append(UInt8(truncatingIfNeeded: number >> Int64(8 * byte))) }
    }

    private mutating func varint(_ number: Int) {
        bytes += number < 128 ? [UInt8(number)] : [UInt8(number % 128 + 128)]
        if number >= 128 { varint(number / 128) }
    }
}
