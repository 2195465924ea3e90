import KafkaWire
import PGWire

/// Finds the messages of a record's value, as a route's `decompress`, `json` and `each` say: one, or one for each
/// element of an array.
///
/// Not thread-safe: one for each worker.
struct MessageOpener: ~Copyable {
    /// The most bytes of an inflated value.
    static let maximumInflatedBytes = 16 << 20

    private let inflater: ValueInflater?
    private let json: JSONPath?
    private let each: JSONPath?
    /// The path of `json`, and those of columns that come from the envelope.
    private var envelopeFields: MessageFields
    /// The path of `each`, and those of columns that come from the message around the array.
    private var messageFields: MessageFields
    private let envelopeValues: [OuterValue]
    private let messageValues: [OuterValue]

    /// The bytes that ``parts`` refer to: those of the message that was opened last.
    private(set) var message: [UInt8] = []
    /// Where each row's message is.
    private(set) var parts: [Range<Int>] = []
    /// For the encoder's headers: what comes from outside the rows' messages.
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

    /// Whether a route's messages are its records' values as they are, so that nothing has to be opened.
    static func isNeeded(for route: Route) -> Bool {
        route.decompression != nil || route.json != nil || route.each != nil
    }

    /// Nil if the route's values are not compressed.
    static func inflater(of route: Route) -> ValueInflater? {
        route.decompression.map { ValueInflater($0.compression, maximumBytes: maximumInflatedBytes) }
    }

    /// Takes the next record's value.
    ///
    /// - Returns: Why there is no message; nil if ``message``, ``parts`` and ``outer`` are those of the value.
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

    /// Replaces the message by the text of one of its fields.
    private mutating func takeText(at path: JSONPath) -> String? {
        let envelope = message
        if let problem = unsafe envelopeFields.read(envelope.span.bytes) {
            return "the message is not valid JSON: \(problem)"
        }
        guard let value = envelopeFields.value(0), value.kind == .string,
            let text = unsafe envelopeFields.text(0, in: envelope.span.bytes)
        else { return "\(path) (\"json\") is missing or no text" }
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
            return "\(path) (\"each\") is missing or no array"
        }
        for element in elements { parts.append(element.range) }
        for (index, value) in messageValues.enumerated() {
            let bytes = Self.bytes(of: value, index + 1, messageFields, message)
            outer.append((value.header, bytes))
        }
        return nil
    }

    /// A value for the encoder: nil if it is missing or null.
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
