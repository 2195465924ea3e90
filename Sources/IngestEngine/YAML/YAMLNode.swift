/// A node of a YAML document and its start.
struct YAMLNode: Sendable {
    enum Content: Sendable {
        /// The unquoted text of a scalar. `isPlain` is false for quoted and block scalars, which are always text.
        case scalar(String, isPlain: Bool)
        case sequence([YAMLNode])
        /// The entries in file order, with distinct keys.
        case mapping([Entry])
    }

    struct Entry: Sendable {
        let key: String
        let keyPosition: YAMLPosition
        let value: YAMLNode
    }

    let content: Content
    let position: YAMLPosition
}

/// A position in a YAML file; line and column are counted from 1.
struct YAMLPosition: Sendable, Hashable {
    let line: Int
    let column: Int
}

extension YAMLNode {
    /// A description of the node's kind, for errors.
    var kind: String {
        switch content {
        case .scalar("", isPlain: true), .scalar("~", isPlain: true), .scalar("null", isPlain: true): "nothing"
        case .scalar: "a single value"
        case .sequence: "a list"
        case .mapping: "a group of names and values"
        }
    }
}
