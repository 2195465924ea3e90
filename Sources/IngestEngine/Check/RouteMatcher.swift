import KafkaWire

/// Whether a route selects a record. Only for samples: it parses the whole message.
struct RouteMatcher {
    private let route: Route
    private let topic: Regex<AnyRegexOutput>?

    init(_ route: Route) {
        self.route = route
        topic = if case .pattern(let pattern) = route.topic { try? Regex(pattern) } else { nil }
    }

    /// Whether the route reads the topic. A pattern must match the whole name.
    func reads(_ name: String) -> Bool {
        if case .name(let wanted) = route.topic { return wanted == name }
        guard let topic else { return false }
        return (try? topic.wholeMatch(in: name)) != nil
    }

    func selects(_ record: CheckedRecord) -> Bool {
        reads(record.topic) && route.conditions.allSatisfy { holds($0, record) }
    }

    /// The record's value, inflated if it is compressed; nil if it is null or can't be inflated.
    private func message(of record: CheckedRecord) -> [UInt8]? {
        guard let value = record.value, let inflater = MessageOpener.inflater(of: route) else { return record.value }
        // Safe: the array outlives the call, which retains no pointer to it.
        return unsafe try? inflater.inflate(value.span.bytes)
    }

    private func holds(_ condition: Route.Condition, _ record: CheckedRecord) -> Bool {
        switch condition {
        case .key(let key): record.key == Array(key.utf8)
        case .header(let name, let value): record.header(name) == Array(value.utf8)
        case .field(let path, let value):
            switch message(of: record).flatMap(SampleJSON.init)?.value(at: path) {
            case .string(let text): text.utf8.elementsEqual(value.utf8)
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
                guard let field = fields.first(where: { $0.name.utf8.elementsEqual(name.utf8) }) else { return nil }
                value = field.value
            case (.element(let index), .array(let items)) where items.indices.contains(index): value = items[index]
            default: return nil
            }
        }
        return value
    }
}

extension Route {
    /// Whether the route reads a topic, by name or by a pattern that matches the whole name.
    public func reads(topic name: String) -> Bool { RouteMatcher(self).reads(name) }
}
