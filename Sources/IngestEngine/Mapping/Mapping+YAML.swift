extension Mapping {
    /// The mapping as YAML, which `MappingFile` parses to an equal mapping. Settings with their default value are
    /// omitted.
    public var yaml: String {
        var text = "routes:\n" + routes.map(\.yaml).joined()
        let defaults = Mapping(routes: [])
        if unknownFields != defaults.unknownFields { text += "unknown_fields: \(unknownFields.rawValue)\n" }
        if unrouted != defaults.unrouted { text += "unrouted: \(unrouted.rawValue)\n" }
        if deadLetterLimit != defaults.deadLetterLimit {
            let limit = deadLetterLimit
            text += "dead_letter_limit: { share: \(limit.share), of: \(limit.of), total: \(limit.total) }\n"
        }
        if partitionErrors != defaults.partitionErrors { text += "on_partition_error: \(partitionErrors.rawValue)\n" }
        return text
    }
}

extension Route {
    /// An item of the list of routes, indented by two spaces.
    fileprivate var yaml: String {
        var lines: [String] = []
        switch topic {
        case .name(let name): lines.append("topic: \(YAMLText.scalar(name))")
        case .pattern(let pattern): lines.append("topic: \(YAMLText.scalar(pattern))")
        }
        if !conditions.isEmpty { lines.append("when: \(Condition.yaml(conditions))") }
        lines.append("table: \(YAMLText.scalar(table.text))")
        switch mode {
        case .append: break
        case .upsert(let key, let tombstone):
            lines.append("mode: upsert")
            if let key { lines.append("key: \(YAMLText.list(key))") }
            if tombstone != .deadLetter { lines.append("tombstone: \(tombstone.rawValue)") }
        case .ignore(let key):
            lines.append("mode: ignore")
            if let key { lines.append("key: \(YAMLText.list(key))") }
        }
        if let decompression { lines.append("value: { decompress: \(decompression.rawValue) }") }
        if let json { lines.append("json: \(YAMLText.scalar(json.description))") }
        if let each { lines.append("each: \(YAMLText.scalar(each.description + "[*]"))") }
        if let columns {
            lines.append("columns:")
            for column in columns { lines += YAMLText.entry(column.name, column.yaml).map { "  " + $0 } }
        }
        return lines.enumerated().map { ($0.offset == 0 ? "  - " : "    ") + $0.element + "\n" }.joined()
    }
}

extension Route.Condition {
    /// The parser returns conditions in this order: key, headers, fields.
    fileprivate static func yaml(_ conditions: [Route.Condition]) -> String {
        var parts: [(String, String)] = []
        var headers: [(String, String)] = []
        var fields: [(String, String)] = []
        for condition in conditions {
            switch condition {
            case .key(let key): parts.append(("key", YAMLText.scalar(key)))
            case .header(let name, let value): headers.append((name, YAMLText.scalar(value)))
            case .field(let path, let value): fields.append((path.description, YAMLText.scalar(value)))
            }
        }
        if !headers.isEmpty { parts.append(("header", YAMLText.group(headers))) }
        if !fields.isEmpty { parts.append(("field", YAMLText.group(fields))) }
        return YAMLText.group(parts)
    }
}

extension Route.Column {
    fileprivate var yaml: String {
        var settings: [(String, String)] = []
        switch source {
        case .path(let path): settings.append(("path", YAMLText.scalar(path.description)))
        case .header(let name): settings.append(("header", YAMLText.scalar(name)))
        case .record(let field): settings.append(("record", field.rawValue))
        case .rest: settings.append(("rest", "true"))
        case .message(let path): settings.append(("message", YAMLText.scalar(path.description)))
        case .envelope(let path): settings.append(("envelope", YAMLText.scalar(path.description)))
        }
        if let format { settings.append(("format", YAMLText.scalar(format.text))) }
        if let bytes { settings.append(("format", bytes.rawValue)) }
        if let zone { settings.append(("zone", YAMLText.scalar(zone))) }
        if let defaultValue { settings.append(("default", YAMLText.scalar(defaultValue))) }
        // A path alone is written as a plain value.
        if case .path = source, settings.count == 1 { return settings[0].1 }
        return YAMLText.group(settings)
    }
}

extension TimeFormat {
    /// The name or pattern, as in a mapping file.
    var text: String {
        switch self {
        case .iso8601: "iso8601"
        case .unix(let unit): unit.rawValue
        case .pattern(let pattern): pattern.text
        }
    }
}

/// Formats pieces of YAML.
///
/// Source: YAML 1.2, chapters 5.7 (escapes) and 7.3 (scalars).
enum YAMLText {
    /// A scalar that parses to this text, also within brackets and braces.
    static func scalar(_ text: String) -> String {
        isPlain(text) ? text : quoted(text)
    }

    /// `{ name: value, name: value }`.
    ///
    /// - Parameter parts: Unquoted names, and values that are YAML already.
    static func group(_ parts: [(name: String, value: String)]) -> String {
        "{ " + parts.map { entry($0.name, $0.value).joined(separator: " ") }.joined(separator: ", ") + " }"
    }

    /// The lines of a group's entry: one, or two with a question mark for a name of more than 1,000 characters. YAML
    /// allows at most 1,024 before a colon.
    ///
    /// - Parameters:
    ///   - name: The unquoted name.
    ///   - value: A value that is YAML already.
    static func entry(_ name: String, _ value: String) -> [String] {
        let key = scalar(name)
        return key.unicodeScalars.count <= 1000 ? ["\(key): \(value)"] : ["? " + key, ": " + value]
    }

    static func list(_ texts: [String]) -> String {
        "[" + texts.map(scalar).joined(separator: ", ") + "]"
    }

    /// Unquoted words that YAML parsers don't read as text.
    private static let reserved: Set<String> = [
        "null", "true", "false", "yes", "no", "on", "off", "y", "n", ".inf", ".nan",
    ]

    private static func isPlain(_ text: String) -> Bool {
        func isWord(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "$"):
                true
            default: false
            }
        }
        guard let first = text.utf8.first, isWord(first), !reserved.contains(text.lowercased()) else { return false }
        return text.utf8.allSatisfy {
            isWord($0) || [UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "/")].contains($0)
        }
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            case " "..."~": quoted.unicodeScalars.append(scalar)
            case _ where scalar.properties.isAlphabetic && scalar.value < 0x10000:
                quoted.unicodeScalars.append(scalar)
            default:
                let hexadecimal = String(scalar.value, radix: 16)
                let (letter, digits) =
                    switch scalar.value {
                    case ..<0x100: ("x", 2)
                    case ..<0x10000: ("u", 4)
                    default: ("U", 8)
                    }
                quoted += "\\" + letter + String(repeating: "0", count: digits - hexadecimal.count) + hexadecimal
            }
        }
        return quoted + "\""
    }
}
