import CommandLineSupport

// Reasons for rejections: the field, the column, what was expected, and the value found.
extension RowEncoder {
    /// The most bytes of a value that a reason quotes.
    private static var quotedLength: Int { 60 }

    @inline(never)
    func invalid(_ message: ByteView) -> String {
        if scanner.problem == .notAnObject {
            return "the message is not a JSON object: \(Self.quote(message))"
        }
        return
            "the message is not valid JSON: \(scanner.problem.reason) (byte \(scanner.position) of \(message.count)): "
            + Self.quote(message.slice(min(scanner.position, message.count), max(0, message.count - scanner.position)))
    }

    /// The reason to reject a message with an unknown field; nil if the plan allows unknown fields or there is none.
    @inline(never)
    func unknownField(_ message: ByteView) -> String? {
        guard plan.unknownFields == .deadLetter, !plan.columns.contains(where: { $0.source == .rest }),
            let field = scanner.unused.first
        else { return nil }
        return "no column takes the field \(Self.quote(message.slice(field.offset, field.nameLength)))"
    }

    @inline(never)
    func reason(_ index: Int, _ verdict: Verdict, _ record: RecordView) -> String {
        let column = plan.columns[index]
        let type = column.type.described
        let place = "\(Self.described(column.source)) for column \"\(column.name)\""
        guard verdict != .null else { return "\(place) (\(type)) is missing or null, which the column does not take" }
        let shown = value(index, record).map(Self.quote) ?? "its default"
        let expected =
            switch verdict {
            case .range: "a value in the range of \(type)"
            case .tooLong: "at most \(steps[index].limit) characters"
            case .relativeTime: "\(type), but not one relative to the present"
            case .array: "a JSON array for \(type), whose rows have the same length"
            case .encoding: "UTF-8 without zero bytes"
            case .noDate: "a date as well as a time"
            default: form(column).map { "\(type) as \($0)" } ?? type
            }
        return "\(place): expected \(expected), found \(shown)"
    }

    private func form(_ column: RowPlan.Column) -> String? {
        if let bytes = column.bytes { return bytes.rawValue }
        switch column.format {
        case .unix(let unit): return unit.rawValue
        case .pattern(let pattern): return "\"\(pattern.text)\""
        case .iso8601: return "ISO 8601"
        case nil: return column.zone == nil ? nil : "ISO 8601"
        }
    }

    private func value(_ index: Int, _ record: RecordView) -> ByteView? {
        let step = steps[index]
        switch step.source {
        case .path:
            guard let slot = scanner.slot(Int(step.slot)), slot.kind != .null else { return nil }
            let quotes = slot.kind == .string ? 1 : 0
            return record.text.slice(Int(slot.offset) - quotes, Int(slot.length) + 2 * quotes)
        case .key: return record.key
        case .value: return record.message
        case .header: return sources.headers[Int(step.slot)].view
        case .topic: return sources.topic.view
        case .partition, .offset, .timestamp, .rest: return nil
        }
    }

    private static func described(_ source: Route.Source) -> String {
        switch source {
        case .path(let path): path.description
        case .header(let name): "header \"\(name)\""
        case .record(let field): "the record's \(field.rawValue)"
        case .rest: "the rest"
        case .message(let path): "\(path.description) of the message"
        case .envelope(let path): "\(path.description) of the envelope"
        }
    }

    /// The start of a key or value in single quotes, with characters escaped that could affect a terminal.
    static func quote(_ bytes: RawSpan) -> String {
        // The view is used only during this call, in which the span keeps the memory alive.
        let text = unsafe bytes.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return "" }
            return quote(unsafe ByteView(base, bytes.count))
        }
        return "'" + text + "'"
    }

    /// The start of a value, with characters escaped that could affect a terminal.
    private static func quote(_ view: ByteView) -> String {
        var count = min(view.count, quotedLength)
        // Don't cut within a character.
        while count > 0, count < view.count, view[count] & 0xc0 == 0x80 { count -= 1 }
        return ForeignText.visible(view.slice(0, count).string) + (count < view.count ? "…" : "")
    }
}
