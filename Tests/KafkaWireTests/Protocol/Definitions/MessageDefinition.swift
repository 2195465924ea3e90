import Foundation

/// Kafka's own JSON definition of a message (`common/message/*.json` in kafka-clients).
struct MessageDefinition: Sendable {
    let apiKey: Int
    let validVersions: ClosedRange<Int>
    /// Whether Kafka offers the last version only if configured to.
    let isLatestVersionUnstable: Bool
    /// `Int16.max` for a message that isn't flexible in any version.
    let firstFlexibleVersion: Int
    let fields: [FieldDefinition]

    init(json text: String) throws {
        // Remove the lines that begin with two slashes (licence and version history), since JSON has no comments.
        let lines = text.split(separator: "\n").filter { !$0.trimmingPrefix(while: \.isWhitespace).hasPrefix("//") }
        let object = try JSONSerialization.jsonObject(with: Data(lines.joined(separator: "\n").utf8))
        guard let json = object as? [String: Any], let apiKey = json["apiKey"] as? Int,
            let validVersions = versionRange(json["validVersions"]),
            let flexibleVersions = json["flexibleVersions"] as? String, let fields = json["fields"] as? [[String: Any]]
        else { throw DefinitionError("a definition has no key, versions or fields") }
        self.apiKey = apiKey
        self.validVersions = validVersions
        isLatestVersionUnstable = json["latestVersionUnstable"] as? Bool ?? false
        firstFlexibleVersion = versionRange(flexibleVersions)?.lowerBound ?? Int(Int16.max)
        var common: [String: [[String: Any]]] = [:]
        for structure in json["commonStructs"] as? [[String: Any]] ?? [] {
            if let name = structure["name"] as? String { common[name] = structure["fields"] as? [[String: Any]] }
        }
        self.fields = try fields.map { try FieldDefinition($0, common: common) }
    }
}

/// A field of a message or of a structure in it.
struct FieldDefinition: Sendable {
    /// In lower case, because Kafka's names and the properties' names differ only in case.
    let name: String
    /// `int32`, `string`, `records`, a structure's name and so on; for an array, the type of its elements.
    let type: String
    let isArray: Bool
    let versions: ClosedRange<Int>
    let nullableVersions: ClosedRange<Int>?
    let taggedVersions: ClosedRange<Int>?
    let tag: UInt32?
    let isIgnorable: Bool
    let defaultValue: FieldValue
    /// The structure's fields.
    let fields: [FieldDefinition]

    /// - Parameter common: The fields of shared structures, by the structure's name.
    init(_ json: [String: Any], common: [String: [[String: Any]]]) throws {
        guard let name = json["name"] as? String, let type = json["type"] as? String,
            let versions = versionRange(json["versions"])
        else { throw DefinitionError("a field has no name, type or versions: \(json)") }
        self.name = name.lowercased()
        isArray = type.hasPrefix("[]")
        self.type = isArray ? String(type.dropFirst(2)) : type
        self.versions = versions
        nullableVersions = versionRange(json["nullableVersions"])
        taggedVersions = versionRange(json["taggedVersions"])
        tag = (json["tag"] as? Int).map(UInt32.init)
        isIgnorable = json["ignorable"] as? Bool ?? false
        let nested = json["fields"] as? [[String: Any]] ?? common[self.type] ?? []
        fields = try nested.map { try FieldDefinition($0, common: common) }
        let text = (json["default"] as? String) ?? (json["default"] as? Int).map(String.init)
        defaultValue = try Self.defaultValue(text, type: self.type, isArray: isArray, fields: fields)
    }

    private static func defaultValue(
        _ text: String?, type: String, isArray: Bool, fields: [FieldDefinition]
    ) throws -> FieldValue {
        if text == "null" || type == "records" { return .null }
        if isArray { return .array([]) }
        switch type {
        case "bool": return .bool(text == "true")
        case "string": return .string(text ?? "")
        case "uuid": return .uuid(0, 0)
        case "bytes": return .bytes([])
        case "int8", "int16", "int32", "int64":
            guard let text else { return .integer(0) }
            let isHexadecimal = text.hasPrefix("0x")
            guard let number = Int64(isHexadecimal ? String(text.dropFirst(2)) : text, radix: isHexadecimal ? 16 : 10)
            else { throw DefinitionError("\(text) isn't a number") }
            return .integer(number)
        default:
            guard !fields.isEmpty else { throw DefinitionError("unknown type \(type)") }
            return .structure(Dictionary(uniqueKeysWithValues: fields.map { ($0.name, $0.defaultValue) }))
        }
    }
}

struct DefinitionError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Parses `3`, `3-7` or `3+`; nil for `none` and for a missing value.
private func versionRange(_ json: Any?) -> ClosedRange<Int>? {
    guard let text = json as? String else { return nil }
    let bounds = text.split(separator: "-").map { Int($0.hasSuffix("+") ? $0.dropLast() : $0) }
    guard let first = bounds.first, let lower = first, let last = bounds.last, let upper = last else { return nil }
    return lower...(text.hasSuffix("+") ? Int(Int16.max) : upper)
}
