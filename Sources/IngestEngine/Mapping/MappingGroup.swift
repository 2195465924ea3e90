import CommandLineSupport

/// The settings of one group in a mapping file. Each accessor checks the setting's type.
struct MappingGroup {
    let file: String
    /// A description of the group for errors, such as "a route".
    let what: String
    let position: YAMLPosition
    private let entries: [YAMLNode.Entry]

    /// - Throws: `MappingError` if the node isn't a group or has a setting that isn't in `known`.
    init(_ node: YAMLNode, of what: String, known: [String], in file: String) throws(MappingError) {
        guard case .mapping(let entries) = node.content else {
            throw MappingError(
                "\(what) must be a group of names and values, not \(node.kind)", at: node.position, in: file)
        }
        self.file = file
        self.what = what
        self.entries = entries
        position = node.position
        for entry in entries where !known.contains(entry.key) {
            throw MappingError(
                "there is no setting \"\(entry.key)\" in \(what)" + Self.hint(entry.key, known), at: entry.keyPosition,
                in: file)
        }
    }

    /// The hint `; did you mean "columns"?`, or the list of known names.
    static func hint(_ wanted: String, _ known: [String]) -> String {
        if let nearest = nearestName(to: wanted, among: known) { return "; did you mean \"\(nearest)\"?" }
        return "; known: \(known.joined(separator: ", "))"
    }

    func failure(_ message: String, at position: YAMLPosition? = nil) -> MappingError {
        MappingError(message, at: position ?? self.position, in: file)
    }

    func node(_ name: String) -> YAMLNode? {
        entries.first { $0.key == name }?.value
    }

    func line(_ name: String) -> YAMLPosition {
        entries.first { $0.key == name }?.keyPosition ?? position
    }

    var names: [String] { entries.map(\.key) }

    // MARK: Typed settings

    /// A setting's text; nil if the setting is missing.
    func text(_ name: String) throws(MappingError) -> String? {
        guard let node = node(name) else { return nil }
        return try text(node, of: name)
    }

    func text(_ node: YAMLNode, of name: String) throws(MappingError) -> String {
        guard case .scalar(let text, let isPlain) = node.content, !isPlain || !text.isEmpty, !isNull(node) else {
            throw failure("\"\(name)\" must be a text, not \(node.kind)", at: node.position)
        }
        return text
    }

    func requiredText(_ name: String) throws(MappingError) -> String {
        guard let text = try text(name) else { throw failure("\"\(name)\" is missing in \(what)") }
        return text
    }

    /// A setting with one of an enum's values; nil if the setting is missing.
    func word<Word: RawRepresentable & CaseIterable>(_ name: String, _: Word.Type) throws(MappingError) -> Word?
    where Word.RawValue == String {
        guard let text = try text(name) else { return nil }
        guard let word = Word(rawValue: text) else {
            throw failure(
                "\"\(name)\" cannot be \"\(text)\"" + Self.hint(text, Word.allCases.map(\.rawValue)),
                at: node(name)?.position)
        }
        return word
    }

    /// A list of texts; nil if the setting is missing. A single text is a list of one.
    func texts(_ name: String) throws(MappingError) -> [String]? {
        guard let node = node(name) else { return nil }
        guard case .sequence(let items) = node.content else { return [try text(node, of: name)] }
        guard !items.isEmpty else { throw failure("\"\(name)\" is an empty list", at: node.position) }
        var texts: [String] = []
        for item in items {
            let text = try text(item, of: name)
            guard !texts.contains(text) else {
                throw failure("\"\(text)\" occurs twice in \"\(name)\"", at: item.position)
            }
            texts.append(text)
        }
        return texts
    }

    /// An integer of at least 1; nil if the setting is missing.
    func count(_ name: String) throws(MappingError) -> Int? {
        guard let text = try text(name) else { return nil }
        guard let number = Int(text.replacing("_", with: "")), number >= 1 else {
            throw failure("\"\(name)\" must be a whole number of at least 1, not \"\(text)\"", at: node(name)?.position)
        }
        return number
    }

    /// A number above 0 and at most 1; nil if the setting is missing.
    func share(_ name: String) throws(MappingError) -> Double? {
        guard let text = try text(name) else { return nil }
        guard let number = Double(text), number > 0, number <= 1 else {
            throw failure(
                "\"\(name)\" must be a number above 0 and at most 1, not \"\(text)\"", at: node(name)?.position)
        }
        return number
    }

    /// A Boolean; nil if the setting is missing.
    func flag(_ name: String) throws(MappingError) -> Bool? {
        guard let text = try text(name) else { return nil }
        switch text {
        case "true": return true
        case "false": return false
        default: throw failure("\"\(name)\" must be true or false, not \"\(text)\"", at: node(name)?.position)
        }
    }

    func path(_ name: String) throws(MappingError) -> JSONPath? {
        guard let text = try text(name) else { return nil }
        return try path(text, at: node(name)?.position)
    }

    func path(_ text: String, at position: YAMLPosition?) throws(MappingError) -> JSONPath {
        do throws(JSONPathError) {
            return try JSONPath(text)
        } catch {
            throw failure(error.message, at: position)
        }
    }

    /// Whether a setting has no value.
    func isNull(_ node: YAMLNode) -> Bool {
        guard case .scalar(let text, isPlain: true) = node.content else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }
}
