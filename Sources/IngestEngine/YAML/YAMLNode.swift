/// A node of a YAML document, with the position at which it starts.
struct YAMLNode: Sendable {
    enum Content: Sendable {
        /// A scalar's text after unquoting. `isPlain` is false for quoted and block scalars, which are always text.
        case scalar(String, isPlain: Bool)
        case sequence([YAMLNode])
        /// The entries in the order of the file. No key occurs twice.
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

/// A position in a YAML file; line and column count from 1.
struct YAMLPosition: Sendable, Hashable {
    let line: Int
    let column: Int
}

extension YAMLNode {
    /// The node's kind in words, for errors.
    var kind: String {
        switch content {
        case .scalar("", isPlain: true), .scalar("~", isPlain: true), .scalar("null", isPlain: true): "nothing"
        case .scalar: "a single value"
        case .sequence: "a list"
        case .mapping: "a group of names and values"
        }
    }
}
