import KafkaWire
import PGWire

/// Extracts the messages from a record's value by a route's `decompress`, `json` and `each`: one, or one per element
/// of an array.
///
/// Not thread-safe: each worker has its own.
struct MessageOpener: ~Copyable {
    /// The largest inflated value, in bytes.
    static let maximumInflatedBytes = 16 << 20

    private let inflater: ValueInflater?
    private let json: JSONPath?
    private let each: JSONPath?
    /// The path of `json`, then the paths of columns that read the envelope.
    private var envelopeFields: MessageFields
    /// The path of `each`, then the paths of columns that read the message around the array.
    private var messageFields: MessageFields
    private let envelopeValues: [OuterValue]
    private let messageValues: [OuterValue]

    /// The most recently opened message, which ``parts`` index.
    private(set) var message: [UInt8] = []
    /// The range of each row's message.
    private(set) var parts: [Range<Int>] = []
    /// Values from outside the rows' messages, passed to the encoder as headers.
    private(set) var outer: [(header: Int, value: [UInt8]?)] = []

    init(_ bound: BoundRoute) {
        let route = bound.route
        inflater = Self.inflater(of: route)
        json = route.json
        each = route.each
        let values = OuterValue.all(in: bound.plan)
        envelopeValues = values.envelope
        messageValues = values.message
        envelopeFields = MessageFields((json.map { [$0] } ?? []) + envelopeValues.map(\.path))
        messageFields = MessageFields((each.map { [$0] } ?? []) + messageValues.map(\.path))
    }

    /// Whether the messages have to be extracted from the records' values. If false, each value is a message.
    static func isNeeded(for route: Route) -> Bool {
        route.decompression != nil || route.json != nil || route.each != nil
    }

    /// The inflater for a route's values; nil if they are not compressed.
    static func inflater(of route: Route) -> ValueInflater? {
        route.decompression.map { ValueInflater($0.compression, maximumBytes: maximumInflatedBytes) }
    }

    /// Opens a record's value and sets ``message``, ``parts`` and ``outer``.
    ///
    /// - Returns: nil, or the reason why there is no message.
    mutating func open(_ value: RawSpan) -> String? {
        parts.removeAll(keepingCapacity: true)
        outer.removeAll(keepingCapacity: true)
        if let inflater {
            do throws(ValueInflater.Problem) {
                message = try inflater.inflate(value)
            } catch {
                return error.reason
            }
        } else {
            message = [UInt8](value)
        }
        if let json, let problem = takeText(at: json) { return problem }
        guard let each else {
            parts.append(0..<message.count)
            return nil
        }
        return takeElements(at: each)
    }

    /// Replaces the message by the text in one of its fields.
    private mutating func takeText(at path: JSONPath) -> String? {
        let envelope = message
        if let problem = unsafe envelopeFields.read(envelope.span.bytes) {
            return "the message is not valid JSON: \(problem)"
        }
        guard let value = envelopeFields.value(0), value.kind == .string,
            let text = unsafe envelopeFields.text(0, in: envelope.span.bytes)
        else { return "\(path) (\"json\") is missing or not a string" }
        for (index, value) in envelopeValues.enumerated() {
            let bytes = Self.bytes(of: value, index + 1, envelopeFields, envelope)
            outer.append((value.header, bytes))
        }
        message = text
        return nil
    }

    private mutating func takeElements(at path: JSONPath) -> String? {
        let message = message
        if let problem = unsafe messageFields.read(message.span.bytes) {
            return "the message is not valid JSON: \(problem)"
        }
        guard let elements = unsafe messageFields.elements(0, in: message.span.bytes) else {
            return "\(path) (\"each\") is missing or not an array"
        }
        for element in elements { parts.append(element.range) }
        for (index, value) in messageValues.enumerated() {
            let bytes = Self.bytes(of: value, index + 1, messageFields, message)
            outer.append((value.header, bytes))
        }
        return nil
    }

    /// The encoder's input for a value; nil if the value is missing or null.
    private static func bytes(
        of value: OuterValue, _ index: Int, _ fields: borrowing MessageFields, _ message: [UInt8]
    ) -> [UInt8]? {
        guard let found = fields.value(index), found.kind != .null else { return nil }
        if value.isJSON { return Array(message[found.range]) }
        return unsafe fields.text(index, in: message.span.bytes)
    }
}

extension Route.Decompression {
    var compression: Compression {
        switch self {
        case .gzip: .gzip
        case .zstd: .zstd
        case .lz4: .lz4
        case .snappy: .snappy
        }
    }
}
