/// Whether a route selects a record. For samples: it parses the whole message.
struct RouteMatcher {
    private let route: Route
    private let topic: Regex<AnyRegexOutput>?

    init(_ route: Route) {
        self.route = route
        topic = if case .pattern(let pattern) = route.topic { try? Regex(pattern) } else { nil }
    }

    /// Whether the route reads the topic. A pattern has to match the whole name.
    func reads(_ name: String) -> Bool {
        if case .name(let wanted) = route.topic { return wanted == name }
        guard let topic else { return false }
        return (try? topic.wholeMatch(in: name)) != nil
    }

    func selects(_ record: CheckedRecord) -> Bool {
        reads(record.topic) && route.conditions.allSatisfy { holds($0, record) }
    }

    private func holds(_ condition: Route.Condition, _ record: CheckedRecord) -> Bool {
        switch condition {
        case .key(let key): record.key == Array(key.utf8)
        case .header(let name, let value): record.header(name) == Array(value.utf8)
        case .field(let path, let value):
            switch record.value.flatMap(SampleJSON.init)?.value(at: path) {
            case .string(let text): text == value
            case .number(let text): text == value
            case .bool(let flag): String(flag) == value
            case .null, .array, .object, nil: false
            }
        }
    }
}

extension SampleJSON {
    /// The value at a path; nil if there is none.
    func value(at path: JSONPath) -> SampleJSON? {
        var value = self
        for step in path.steps {
            switch (step, value) {
            case (.field(let name), .object(let fields)):
                guard let field = fields.first(where: { $0.name == name }) else { return nil }
                value = field.value
            case (.element(let index), .array(let items)) where items.indices.contains(index): value = items[index]
            default: return nil
            }
        }
        return value
    }

    /// The value as JSON, with the text of its numbers.
    var bytes: [UInt8] {
        var text: [UInt8] = []
        write(to: &text)
        return text
    }

    private func write(to text: inout [UInt8]) {
        switch self {
        case .null: text += "null".utf8
        case .bool(let flag): text += (flag ? "true" : "false").utf8
        case .number(let number): text += number.utf8
        case .string(let string): Self.write(string, to: &text)
        case .array(let items):
            text.append(UInt8(ascii: "["))
            for (index, item) in items.enumerated() {
                if index > 0 { text.append(UInt8(ascii: ",")) }
                item.write(to: &text)
            }
            text.append(UInt8(ascii: "]"))
        case .object(let fields):
            text.append(UInt8(ascii: "{"))
            for (index, field) in fields.enumerated() {
                if index > 0 { text.append(UInt8(ascii: ",")) }
                Self.write(field.name, to: &text)
                text.append(UInt8(ascii: ":"))
                field.value.write(to: &text)
            }
            text.append(UInt8(ascii: "}"))
        }
    }

    private static func write(_ string: String, to text: inout [UInt8]) {
        text.append(UInt8(ascii: "\""))
        for byte in string.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): text += [UInt8(ascii: "\\"), byte]
            case ..<0x20: text += ((byte < 16 ? "\\u000" : "\\u00") + String(byte, radix: 16)).utf8
            default: text.append(byte)
            }
        }
        text.append(UInt8(ascii: "\""))
    }
}

/// The messages in a record's value: one, or one for each element of the array of `each`.
struct MessageParts {
    struct Problem: Error {
        let reason: String
    }

    let messages: [[UInt8]]

    static func of(_ value: [UInt8], _ route: Route) -> Result<MessageParts, Problem> {
        guard route.json != nil || route.each != nil else { return .success(MessageParts(messages: [value])) }
        var message = value
        if let path = route.json {
            guard let outer = SampleJSON(value) else {
                return .failure(Problem(reason: "the message is not valid JSON"))
            }
            guard case .string(let text) = outer.value(at: path) else {
                return .failure(Problem(reason: "\(path) (\"json\") is missing or no text"))
            }
            message = Array(text.utf8)
        }
        guard let path = route.each else { return .success(MessageParts(messages: [message])) }
        guard let json = SampleJSON(message) else {
            return .failure(Problem(reason: "the message is not valid JSON"))
        }
        guard case .array(let items) = json.value(at: path) else {
            return .failure(Problem(reason: "\(path) (\"each\") is missing or no array"))
        }
        return .success(MessageParts(messages: items.map(\.bytes)))
    }
}

extension Route {
    /// Whether the route reads a topic: by its name, or by a pattern that matches the whole name.
    public func reads(topic name: String) -> Bool { RouteMatcher(self).reads(name) }
}
