/// Checks whether a column's type can hold its source's values.
struct ColumnFit {
    let column: Route.Column
    let shape: TableShape.Column

    /// The reason why not, and what would fit; nil if it can.
    var misfit: String? { sourceMisfit ?? formatMisfit ?? zoneMisfit }

    /// The column's type, with a domain replaced by its base type.
    private var type: ColumnType {
        if case .domain(let base, _) = shape.type { base } else { shape.type }
    }

    private var sourceMisfit: String? {
        switch column.source {
        case .path, .header: nil
        case .message, .envelope:
            switch type {
            case .array: "\"message\" and \"envelope\" take no arrays; jsonb, json or text would fit"
            default: nil
            }
        case .rest:
            switch type {
            case .json, .jsonb: nil
            default: "\"rest\" is a JSON object and needs json or jsonb"
            }
        case .record(let field): misfit(of: field)
        }
    }

    /// Checks a record's metadata. A type that can't hold every possible value is refused, so that it never overflows.
    private func misfit(of field: Route.RecordField) -> String? {
        switch (field, type) {
        case (.topic, .text), (.topic, .varchar): nil
        case (.topic, _): "a topic's name needs text or varchar"
        case (.partition, .int4), (.partition, .int8), (.partition, .numeric(nil)), (.partition, .text),
            (.partition, .varchar(nil)):
            nil
        case (.partition, _): "a partition needs integer, bigint, numeric or text"
        case (.offset, .int8), (.offset, .numeric(nil)), (.offset, .text), (.offset, .varchar(nil)): nil
        case (.offset, .int4), (.offset, .int2):
            "offsets grow beyond its range; an offset needs bigint, numeric or text"
        case (.offset, _): "an offset needs bigint, numeric or text"
        case (.timestamp, .timestamptz), (.timestamp, .timestamp), (.timestamp, .int8): nil
        case (.timestamp, _):
            "a record's timestamp needs timestamp with time zone, timestamp (in UTC) or bigint (milliseconds)"
        case (.key, .bytea), (.key, .text), (.key, .varchar), (.key, .json), (.key, .jsonb), (.value, .bytea),
            (.value, .text), (.value, .varchar), (.value, .json), (.value, .jsonb):
            nil
        case (.key, _): "a record's key needs bytea, text, varchar, json or jsonb; for a part of it use a path"
        case (.value, _): "a record's value needs bytea, text, varchar, json or jsonb; for a part of it use a path"
        }
    }

    private var formatMisfit: String? {
        if let bytes = column.bytes {
            return type == .bytea ? nil : "\"format: \(bytes.rawValue)\" needs bytea"
        }
        guard let format = column.format else { return nil }
        guard let needs = TimeParts(of: type) else {
            return "\"format\" needs date, time, timestamp or timestamp with time zone; for bytea it is base64 or hex"
        }
        guard case .pattern(let pattern) = format else { return nil }
        let hasDay = pattern.elements.contains { if case .field(.day, _) = $0 { true } else { false } }
        let hasHour = pattern.elements.contains { if case .field(.hour, _) = $0 { true } else { false } }
        if needs.day, !hasDay { return "the pattern \"\(pattern.text)\" has no day; only a time column fits it" }
        if !needs.day, !hasHour { return "the pattern \"\(pattern.text)\" has no time of day; a date column fits it" }
        return nil
    }

    /// A zone applies to all types with a date or time: `timestamptz` gets the instant, the others the zone's local
    /// time.
    private var zoneMisfit: String? {
        guard column.zone != nil, TimeParts(of: type) == nil else { return nil }
        return "\"zone\" needs date, time, timestamp or timestamp with time zone"
    }
}

/// The parts that a date or time type has.
private struct TimeParts {
    let day: Bool

    /// nil for other types.
    init?(of type: ColumnType) {
        switch type {
        case .date, .timestamp, .timestamptz: day = true
        case .time: day = false
        default: return nil
        }
    }
}
