import PGWire

// The JSON object of a row that the server has to parse.
extension RowEncoder {
    @inline(never)
    mutating func serverRow(_ record: RecordView) -> [UInt8] {
        var json: [UInt8] = [UInt8(ascii: "{")]
        for index in 0..<steps.count {
            let start = json.count
            if start > 1 { json.append(UInt8(ascii: ",")) }
            Self.append(string: plan.columns[index].name, to: &json)
            json.append(UInt8(ascii: ":"))
            // A column without a value is omitted, which means null.
            if !appendServerValue(steps[index], record, to: &json) { json.removeSubrange(start...) }
        }
        json.append(UInt8(ascii: "}"))
        return json
    }

    private mutating func appendServerValue(
        _ step: ColumnStep, _ record: RecordView, to json: inout [UInt8]
    ) -> Bool {
        let isJSON = step.operation == .json || step.operation == .jsonb
        switch step.source {
        case .path:
            guard let slot = scanner.slot(Int(step.slot)), slot.kind != .null else {
                return appendFallback(step, to: &json)
            }
            let value = FieldValue(record.text.slice(Int(slot.offset), Int(slot.length)), slot)
            if step.operation == .formattedTime || step.operation == .encodedBytes {
                return appendConverted(value, step, to: &json)
            }
            let quotes = slot.kind == .string ? 1 : 0
            unsafe json += record.text.slice(Int(slot.offset) - quotes, Int(slot.length) + 2 * quotes).bytes
            return true
        case .rest:
            let text = sources.rest(of: record.text, scanner.unused)
            if isJSON { unsafe json += text.bytes } else { JSONText.append(text, to: &json) }
            return true
        case .topic, .partition, .offset, .timestamp, .key, .value, .header:
            guard let value = sources.value(step, record) else { return appendFallback(step, to: &json) }
            if step.operation == .formattedTime || step.operation == .encodedBytes || step.operation == .bytea {
                return appendConverted(value, step, to: &json)
            }
            if value.kind == .number || isJSON && value.isForeign {
                unsafe json += value.view.bytes
            } else {
                JSONText.append(value.view, to: &json)
            }
            return true
        }
    }

    private func appendFallback(_ step: ColumnStep, to json: inout [UInt8]) -> Bool {
        guard step.fallback >= 0 else { return false }
        let fallback = sources.fallbacks[Int(step.fallback)]
        if fallback.value.isForeign {
            unsafe json += fallback.value.view.bytes
        } else {
            JSONText.append(fallback.value.view, to: &json)
        }
        return true
    }

    /// Appends a value whose format only the mapping knows, converted to a form that Postgres accepts.
    private mutating func appendConverted(_ value: FieldValue, _ step: ColumnStep, to json: inout [UInt8]) -> Bool {
        var rows = CopyBuffer()
        rows.beginRow(columns: 1)
        guard fields.encode(value, step, to: &rows) == .done else { return false }
        // Skip the column count and the length.
        let bytes = unsafe rows.bytes.withUnsafeBytes { unsafe Array($0.dropFirst(6)) }
        let text: String
        if step.operation == .formattedTime {
            let number = bytes.reduce(0) { $0 << 8 | Int64($1) }
            text =
                switch fields.details.timeFormats[Int(step.detail)].target {
                case .date: TimeText.date(days: Int64(Int32(truncatingIfNeeded: number)))
                case .time: TimeText.time(microseconds: number)
                case .timestamp: TimeText.timestamp(microseconds: number, suffix: "")
                default: TimeText.timestamp(microseconds: number, suffix: "+00")
                }
        } else {
            text = "\\x" + bytes.map { TimeText.padded(Int64($0), radix: 16, to: 2) }.joined()
        }
        Self.append(string: text, to: &json)
        return true
    }

    private static func append(string: String, to json: inout [UInt8]) {
        let bytes = Array(string.utf8)
        unsafe bytes.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress else {
                json += [UInt8(ascii: "\""), UInt8(ascii: "\"")]
                return
            }
            JSONText.append(unsafe ByteView(base, buffer.count), to: &json)
        }
    }
}

/// Formats dates and times in Postgres's ISO style.
enum TimeText {
    static func date(days: Int64) -> String {
        let (text, suffix) = calendar(days)
        return text + suffix
    }

    static func time(microseconds: Int64) -> String {
        let seconds = microseconds / 1_000_000
        let clock = [seconds / 3600, seconds / 60 % 60, seconds % 60].map { padded($0, to: 2) }
        return clock.joined(separator: ":") + "." + padded(microseconds % 1_000_000, to: 6)
    }

    static func timestamp(microseconds: Int64, suffix: String) -> String {
        let days = floorDivide(microseconds, ParsedTime.microsecondsPerDay)
        let (text, era) = calendar(days)
        return "\(text) \(time(microseconds: microseconds - days * ParsedTime.microsecondsPerDay))\(suffix)\(era)"
    }

    static func padded(_ number: Int64, radix: Int = 10, to width: Int) -> String {
        let digits = String(number, radix: radix)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }

    /// A day's date, and the era suffix for years before 1.
    private static func calendar(_ daysSince2000: Int64) -> (text: String, era: String) {
        // Years begin in March, and eras of 400 years are counted from year 0.
        let days = daysSince2000 + 730_425
        let era = floorDivide(days, 146_097)
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * month + 2) / 5 + 1
        let calendarMonth = month < 10 ? month + 3 : month - 9
        let year = yearOfEra + era * 400 + (calendarMonth <= 2 ? 1 : 0)
        let shown = padded(year > 0 ? year : 1 - year, to: 4)
        return ("\(shown)-\(padded(calendarMonth, to: 2))-\(padded(day, to: 2))", year > 0 ? "" : " BC")
    }
}
