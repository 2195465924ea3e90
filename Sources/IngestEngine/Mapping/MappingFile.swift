import Foundation
import PGWire

/// Parses a mapping from a YAML file.
public struct MappingFile {
    private let file: String

    /// Parses a file.
    ///
    /// - Throws: `MappingError` for the first mistake.
    public static func read(_ bytes: [UInt8], named file: String) throws(MappingError) -> Mapping {
        let node: YAMLNode
        do throws(YAMLError) {
            node = try YAMLParser.parse(bytes)
        } catch {
            throw MappingError(error.message, at: error.position, in: file)
        }
        return try MappingFile(file: file).mapping(node)
    }

    private func mapping(_ node: YAMLNode) throws(MappingError) -> Mapping {
        let group = try MappingGroup(
            node, of: "a mapping",
            known: ["routes", "unknown_fields", "unrouted", "dead_letter_limit", "on_partition_error"], in: file)
        guard let list = group.node("routes") else { throw group.failure("\"routes\" is missing in a mapping") }
        guard case .sequence(let items) = list.content, !items.isEmpty else {
            throw group.failure("\"routes\" must be a list of at least one route, not \(list.kind)", at: list.position)
        }
        var mapping = Mapping(routes: [])
        for item in items { mapping.routes.append(try route(item)) }
        mapping.unknownFields = try group.word("unknown_fields", Mapping.UnknownFields.self) ?? mapping.unknownFields
        mapping.unrouted = try group.word("unrouted", Mapping.Unrouted.self) ?? mapping.unrouted
        mapping.partitionErrors =
            try group.word("on_partition_error", Mapping.PartitionErrors.self) ?? mapping.partitionErrors
        if let node = group.node("dead_letter_limit") {
            let limit = try MappingGroup(node, of: "\"dead_letter_limit\"", known: ["share", "of", "total"], in: file)
            mapping.deadLetterLimit.share = try limit.share("share") ?? mapping.deadLetterLimit.share
            mapping.deadLetterLimit.of = try limit.count("of") ?? mapping.deadLetterLimit.of
            mapping.deadLetterLimit.total = try limit.count("total") ?? mapping.deadLetterLimit.total
        }
        return mapping
    }

    // MARK: Routes

    private static let routeSettings = [
        "topic", "when", "table", "columns", "mode", "key", "tombstone", "value", "json", "each",
    ]

    private func route(_ node: YAMLNode) throws(MappingError) -> Route {
        let group = try MappingGroup(node, of: "a route", known: Self.routeSettings, in: file)
        var route = Route(
            topic: try topic(group), table: try table(group), mode: try mode(group), line: group.position.line)
        if let node = group.node("when") { route.conditions = try conditions(node) }
        if let node = group.node("columns") { route.columns = try columns(node) }
        if let node = group.node("value") {
            let value = try MappingGroup(node, of: "\"value\"", known: ["decompress"], in: file)
            route.decompression = try value.word("decompress", Route.Decompression.self)
        }
        route.json = try group.path("json")
        route.each = try each(group)
        try checkSources(of: route)
        return route
    }

    /// Checks that a column with `message` or `envelope` belongs to a route with `each` or `json`.
    private func checkSources(of route: Route) throws(MappingError) {
        for column in route.columns ?? [] {
            let missing: String? =
                switch column.source {
                case .message where route.each == nil: "\"message\" needs \"each\""
                case .envelope where route.json == nil: "\"envelope\" needs \"json\""
                default: nil
                }
            guard let missing else { continue }
            throw MappingError(
                "column \"\(column.name)\": \(missing) in the route; for a field of the message itself use \"path\"",
                at: YAMLPosition(line: column.line, column: 1), in: file)
        }
    }

    private func topic(_ group: MappingGroup) throws(MappingError) -> TopicSelector {
        let text = try group.requiredText("topic")
        do throws(TopicSelectorError) {
            return try TopicSelector(text)
        } catch {
            throw group.failure(error.message, at: group.line("topic"))
        }
    }

    private func table(_ group: MappingGroup) throws(MappingError) -> TableName {
        let text = try group.requiredText("table")
        guard let table = TableName(parsing: text) else {
            throw group.failure(
                "\"\(text)\" is not a table's name; write SCHEMA.TABLE, with quotes around a name that has a dot: "
                    + "'plant.\"press 4.2\"'", at: group.line("table"))
        }
        return table
    }

    private func mode(_ group: MappingGroup) throws(MappingError) -> Route.Mode {
        enum Word: String, CaseIterable { case append, upsert, ignore }
        let word = try group.word("mode", Word.self) ?? .append
        let key = try group.texts("key")
        let tombstone = try group.word("tombstone", Route.Tombstone.self)
        guard word != .append || key == nil else {
            throw group.failure("\"key\" needs \"mode: upsert\" or \"mode: ignore\"", at: group.line("key"))
        }
        guard word == .upsert || tombstone == nil else {
            throw group.failure("\"tombstone\" needs \"mode: upsert\"", at: group.line("tombstone"))
        }
        switch word {
        case .append: return .append
        case .upsert: return .upsert(key: key, tombstone: tombstone ?? .deadLetter)
        case .ignore: return .ignore(key: key)
        }
    }

    /// Parses `$.items[*]`, the path of an array followed by `[*]`.
    private func each(_ group: MappingGroup) throws(MappingError) -> JSONPath? {
        guard let text = try group.text("each") else { return nil }
        // Compares code points: a bracket after U+0D4E, for example, isn't a `Character` of its own.
        guard text.unicodeScalars.suffix(3).elementsEqual("[*]".unicodeScalars) else {
            throw group.failure(
                "\"each\" must be the path of an array and [*], such as $.items[*]", at: group.line("each"))
        }
        return try group.path(String(text.unicodeScalars.dropLast(3)), at: group.line("each"))
    }

    private func conditions(_ node: YAMLNode) throws(MappingError) -> [Route.Condition] {
        let group = try MappingGroup(node, of: "\"when\"", known: ["key", "header", "field"], in: file)
        var conditions: [Route.Condition] = []
        if let key = try group.text("key") { conditions.append(.key(key)) }
        for (name, value) in try pairs("header", group) { conditions.append(.header(name, value)) }
        var paths: [JSONPath] = []
        for (name, value) in try pairs("field", group) {
            let path = try group.path(name, at: group.line("field"))
            guard !paths.contains(path) else {
                throw group.failure("\"field\" has two values for \(path)", at: group.line("field"))
            }
            paths.append(path)
            conditions.append(.field(path, value))
        }
        guard !conditions.isEmpty else {
            throw group.failure("\"when\" needs a key, a header or a field, such as { key: press }")
        }
        return conditions
    }

    /// The entries of a group such as `header: { type: press }`.
    private func pairs(_ name: String, _ group: MappingGroup) throws(MappingError) -> [(String, String)] {
        guard let node = group.node(name) else { return [] }
        guard case .mapping(let entries) = node.content, !entries.isEmpty else {
            throw group.failure("\"\(name)\" must be { NAME: VALUE }, not \(node.kind)", at: node.position)
        }
        var pairs: [(String, String)] = []
        for entry in entries { pairs.append((entry.key, try group.text(entry.value, of: entry.key))) }
        return pairs
    }

    // MARK: Columns

    private func columns(_ node: YAMLNode) throws(MappingError) -> [Route.Column] {
        guard case .mapping(let entries) = node.content, !entries.isEmpty else {
            throw MappingError(
                "\"columns\" must be a group of columns and paths, not \(node.kind)", at: node.position, in: file)
        }
        var columns: [Route.Column] = []
        for entry in entries {
            guard !entry.key.isEmpty else {
                throw MappingError("a column's name is empty", at: entry.keyPosition, in: file)
            }
            columns.append(try column(entry))
        }
        if let second = columns.filter({ $0.source == .rest }).dropFirst().first {
            throw MappingError(
                "column \"\(second.name)\" is the second one with \"rest\"; only one can take all other fields",
                at: YAMLPosition(line: second.line, column: 1), in: file)
        }
        return columns
    }

    private static let columnSettings = sources + ["format", "zone", "default"]
    private static let sources = ["path", "header", "record", "rest", "message", "envelope"]

    private func column(_ entry: YAMLNode.Entry) throws(MappingError) -> Route.Column {
        let what = "column \"\(entry.key)\""
        if case .scalar(let text, _) = entry.value.content {
            let group = try MappingGroup(
                YAMLNode(content: .mapping([]), position: entry.value.position), of: what, known: [], in: file)
            guard !text.isEmpty, !group.isNull(entry.value) else {
                throw group.failure("\(what) has no path; write the field's name, or $.a.b")
            }
            return Route.Column(
                name: entry.key, source: .path(try group.path(text, at: entry.value.position)),
                line: entry.keyPosition.line)
        }
        let group = try MappingGroup(entry.value, of: what, known: Self.columnSettings, in: file)
        var column = Route.Column(
            name: entry.key, source: try source(group), line: entry.keyPosition.line)
        if let bytes = try group.text("format").flatMap(ByteFormat.init(rawValue:)) {
            column.bytes = bytes
        } else {
            column.format = try format(group)
        }
        column.zone = try zone(group, column.format)
        if let node = group.node("default") {
            guard !group.isNull(node) else {
                throw group.failure(
                    "a default of null has no effect: a missing field is null anyway", at: node.position)
            }
            column.defaultValue = try group.text(node, of: "default")
        }
        try check(column, group)
        return column
    }

    private func source(_ group: MappingGroup) throws(MappingError) -> Route.Source {
        let named = Self.sources.filter { group.node($0) != nil }
        guard named.count == 1, let name = named.first else {
            throw group.failure(
                named.isEmpty
                    ? "\(group.what) needs one of path, header, record, rest, message and envelope"
                    : "\(group.what) has both \(named.joined(separator: " and ")); only one can be its source")
        }
        switch name {
        case "header": return .header(try group.requiredText("header"))
        case "record":
            guard let field = try group.word("record", Route.RecordField.self) else { return .rest }
            return .record(field)
        case "rest":
            guard try group.flag("rest") == true else {
                throw group.failure("\"rest\" can only be true", at: group.line("rest"))
            }
            return .rest
        case "message": return .message(try group.path(try group.requiredText(name), at: group.line(name)))
        case "envelope": return .envelope(try group.path(try group.requiredText(name), at: group.line(name)))
        default:
            return .path(try group.path(try group.requiredText("path"), at: group.line("path")))
        }
    }

    private func format(_ group: MappingGroup) throws(MappingError) -> TimeFormat? {
        guard let text = try group.text("format") else { return nil }
        if text == "iso8601" { return .iso8601 }
        if let unit = TimeFormat.UnixUnit(rawValue: text) { return .unix(unit) }
        do throws(TimePatternError) {
            return .pattern(try TimePattern(text))
        } catch {
            // A misspelt name is far more likely than a pattern with unknown letters.
            guard text.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" }) else {
                throw group.failure(error.message, at: group.line("format"))
            }
            throw group.failure(
                "\"format\" cannot be \"\(text)\""
                    + MappingGroup.hint(text, TimeFormat.names + ByteFormat.allCases.map(\.rawValue))
                    + " (or a pattern such as \"dd.MM.yyyy HH:mm:ss\")", at: group.line("format"))
        }
    }

    private func zone(_ group: MappingGroup, _ format: TimeFormat?) throws(MappingError) -> String? {
        guard let zone = try group.text("zone") else { return nil }
        guard try group.text("format").flatMap(ByteFormat.init(rawValue:)) == nil else {
            throw group.failure("\"zone\" needs a time, but the format is one for bytes", at: group.line("zone"))
        }
        guard TimeZone(identifier: zone) != nil else {
            throw group.failure(
                "there is no time zone \"\(zone)\"" + MappingGroup.hint(zone, TimeZone.knownTimeZoneIdentifiers),
                at: group.line("zone"))
        }
        switch format {
        case .unix:
            throw group.failure("\"zone\" has no effect: a Unix time is UTC", at: group.line("zone"))
        case .pattern(let pattern) where pattern.hasOffset:
            throw group.failure("\"zone\" has no effect: the pattern has an offset", at: group.line("zone"))
        default: return zone
        }
    }

    private func check(_ column: Route.Column, _ group: MappingGroup) throws(MappingError) {
        switch column.source {
        case .rest, .record:
            for name in ["format", "zone", "default"] where group.node(name) != nil {
                throw group.failure("\"\(name)\" needs a path or a header", at: group.line(name))
            }
        case .path, .header, .message, .envelope: break
        }
    }
}
