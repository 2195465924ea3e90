import KafkaWire

/// Finds a record's route: the first of its topic's routes whose conditions hold.
struct RecordRouter: ~Copyable {
    /// The part of a route that is checked for every record.
    struct Candidate: ~Copyable {
        /// The index of the route's target.
        let target: Int
        /// Unused unless `hasKey`.
        let key: KeyLiteral
        let hasKey: Bool
        /// Whether there are conditions besides the first key.
        let hasConditions: Bool
        /// Whether columns read headers.
        let takesHeaders: Bool
        /// Whether each value is one message that becomes a row of a COPY.
        let isPlain: Bool
    }

    private let routes: [Route]
    private let candidates: OwnedList<Candidate>
    private let conditions: [RouteConditions?]
    /// The routes of each known topic, in order.
    private var known: [String: [Int]] = [:]
    private var topic: String?
    /// The routes of the current topic.
    private(set) var active: [Int] = []

    init(_ plan: IngestPlan) {
        routes = plan.routes.map(\.route)
        let conditions = plan.routes.map { RouteConditions($0.route) }
        self.conditions = conditions
        candidates = OwnedList(count: plan.routes.count) { index in
            let route = plan.routes[index]
            let key = route.route.conditions.firstKey
            return Candidate(
                target: plan.targetOfRoute[index], key: KeyLiteral(key ?? ""), hasKey: key != nil,
                hasConditions: conditions[index] != nil,
                takesHeaders: route.plan.columns.contains { if case .header = $0.source { true } else { false } },
                isPlain: SpecialRoute.isPlain(route) && plan.targets[plan.targetOfRoute[index]].staging == nil)
        }
    }

    /// Sets the topic of the following records.
    ///
    /// - Returns: true if it differs from the previous topic.
    mutating func select(topic name: String) -> Bool {
        guard name != topic else { return false }
        topic = name
        if let indices = known[name] {
            active = indices
        } else {
            active = routes.indices.filter { routes[$0].reads(topic: name) }
            known[name] = active
        }
        return true
    }

    /// The first matching route; -1 if there is none.
    @inline(__always)
    func route(of record: borrowing Record, key: RawSpan?) -> Int {
        for position in 0..<active.count {
            let index = active[position]
            if candidates[index].hasKey {
                guard let key, candidates[index].key.equals(key) else { continue }
            }
            if candidates[index].hasConditions, conditions[index]?.hold(record) != true { continue }
            return index
        }
        return -1
    }

    @inline(__always)
    func target(of route: Int) -> Int { candidates[route].target }

    @inline(__always)
    func takesHeaders(_ route: Int) -> Bool { candidates[route].takesHeaders }

    @inline(__always)
    func isPlain(_ route: Int) -> Bool { candidates[route].isPlain }
}

extension [Route.Condition] {
    /// The key that is compared first; nil if there is no key condition.
    fileprivate var firstKey: String? {
        for condition in self {
            if case .key(let key) = condition { return key }
        }
        return nil
    }
}

/// A route's conditions besides its first key.
final class RouteConditions {
    /// Keys besides the first one.
    private var keys: [[UInt8]] = []
    private var headers: [(name: [UInt8], value: [UInt8])] = []
    private var fields: [(slot: Int, value: [UInt8])] = []
    private var scanner: MessageScanner
    /// The inflater; nil if the route's values are not compressed.
    private let inflater: ValueInflater?

    /// nil if there are no such conditions.
    init?(_ route: Route) {
        var paths: [JSONPath] = []
        var values: [[UInt8]] = []
        var hasKey = false
        for condition in route.conditions {
            switch condition {
            case .key(let key):
                if hasKey { keys.append(Array(key.utf8)) } else { hasKey = true }
            case .header(let name, let value): headers.append((Array(name.utf8), Array(value.utf8)))
            case .field(let path, let value):
                paths.append(path)
                values.append(Array(value.utf8))
            }
        }
        scanner = MessageScanner(paths, collectsUnused: false)
        inflater = MessageOpener.inflater(of: route)
        for (index, value) in values.enumerated() { fields.append((scanner.tree.slots[index], value)) }
        if keys.isEmpty, headers.isEmpty, fields.isEmpty { return nil }
    }

    func hold(_ record: borrowing Record) -> Bool {
        for key in keys {
            guard let bytes = record.key, [UInt8](bytes) == key else { return false }
        }
        for header in headers where Self.value(of: header.name, record) != header.value { return false }
        guard !fields.isEmpty else { return true }
        guard let value = record.value else { return false }
        if let inflater {
            // A value that can't be inflated has no fields.
            guard let inflated = try? inflater.inflate(value) else { return false }
            return unsafe holdFields(inflated.span.bytes)
        }
        return holdFields(value)
    }

    private func holdFields(_ value: RawSpan) -> Bool {
        // The view is used only during this call, in which the span keeps the memory alive.
        return unsafe value.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return false }
            return holdFields(unsafe ByteView(base, bytes.count))
        }
    }

    /// The value of the last header with this name.
    private static func value(of name: [UInt8], _ record: borrowing Record) -> [UInt8]? {
        var value: [UInt8]?
        var iterator = record.headers.makeIterator()
        while let header = iterator.next() {
            guard [UInt8](header.name) == name else { continue }
            value = if let bytes = header.value { [UInt8](bytes) } else { nil }
        }
        return value
    }

    /// Compares strings after resolving their escapes, and numbers, `true` and `false` as written.
    private func holdFields(_ text: ByteView) -> Bool {
        guard scanner.scan(text) else { return false }
        for field in fields {
            guard let slot = scanner.slot(field.slot) else { return false }
            let view = text.slice(Int(slot.offset), Int(slot.length))
            switch slot.kind {
            case .null, .array, .object: return false
            case .string where slot.hasEscapes:
                var scratch = ScratchMemory()
                guard unsafe Array(scratch.unescape(view).bytes) == field.value else { return false }
            case .string, .number, .true, .false:
                guard unsafe Array(view.bytes) == field.value else { return false }
            }
        }
        return true
    }
}
