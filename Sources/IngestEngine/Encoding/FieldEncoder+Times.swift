import PGWire

// Dates and times. The session's time zone is UTC, so `timestamptz` reads a text without an offset as UTC.
extension FieldEncoder {
    /// `timestamp` and `timestamptz` in any form. The server rounds to the column's precision on receipt.
    @inline(never)
    mutating func timestamp(_ value: FieldValue, _ step: ColumnStep, to rows: inout CopyBuffer) -> Verdict {
        let text = input(value)
        var time = ParsedTime()
        let verdict = value.kind == .string ? times.parse(text, &time) : .server
        if verdict == .done {
            // `timestamp` ignores an offset.
            let isInstant = step.operation == .timestamptz
            rows.append(timestamp: time.local &- (isInstant ? time.offset &* 1_000_000 : 0))
            return .done
        }
        if verdict == .server, let isPositive = Self.infinity(text) {
            rows.append(timestamp: isPositive ? .max : .min)
            return .done
        }
        return verdict == .server ? uncommonTime(text) : verdict
    }

    mutating func date(_ value: FieldValue, to rows: inout CopyBuffer) -> Verdict {
        let text = input(value)
        var time = ParsedTime()
        let verdict = value.kind == .string ? times.parse(text, &time) : .server
        if verdict == .done {
            rows.append(date: Int32(truncatingIfNeeded: time.days))
            return .done
        }
        if verdict == .server, let isPositive = Self.infinity(text) {
            rows.append(date: isPositive ? .max : .min)
            return .done
        }
        return verdict == .server ? uncommonTime(text) : verdict
    }

    mutating func time(_ value: FieldValue, to rows: inout CopyBuffer) -> Verdict {
        let text = input(value)
        var time = ParsedTime()
        let verdict = value.kind == .string ? TimeInput.timeOfDay(text, from: 0, &time) : .server
        if verdict == .range { return .range }
        guard verdict == .done, !time.hasOffset else { return uncommonTime(text) }
        rows.append(int8: time.microseconds)
        return .done
    }

    /// Postgres skips punctuation in intervals, so even an array may be one.
    mutating func interval(_ value: FieldValue) -> Verdict {
        let text = input(value)
        // Postgres accepts `PT` alone, which has no digit.
        let isPossible =
            Self.hasDigit(text) || text.contains(ignoringCase: "p") || text.contains(ignoringCase: "infinity")
        return isPossible ? .server : .syntax
    }

    private static func infinity(_ text: ByteView) -> Bool? {
        if text.equals(ignoringCase: "infinity") { return true }
        return text.equals(ignoringCase: "-infinity") ? false : nil
    }

    /// The verdict on a text that isn't ISO 8601 but that Postgres may accept.
    private func uncommonTime(_ text: ByteView) -> Verdict {
        if Self.isRelative(text) { return .relativeTime }
        let hasConstant =
            text.contains(ignoringCase: "epoch") || text.contains(ignoringCase: "infinity")
            || text.contains(ignoringCase: "allballs")
        return Self.hasDigit(text) || hasConstant ? .server : .syntax
    }

    private static func hasDigit(_ text: ByteView) -> Bool {
        for index in 0..<text.count where text[index] &- UInt8(ascii: "0") <= 9 { return true }
        return false
    }

    /// Whether a text names a time relative to the present, so that its meaning depends on when it is stored.
    static func isRelative(_ text: ByteView) -> Bool {
        text.contains(ignoringCase: "now") || text.contains(ignoringCase: "today")
            || text.contains(ignoringCase: "tomorrow") || text.contains(ignoringCase: "yesterday")
    }

    // MARK: Formats of the mapping

    mutating func formattedTime(_ value: FieldValue, _ step: ColumnStep, to rows: inout CopyBuffer) -> Verdict {
        let detail = details.timeFormats[Int(step.detail)]
        var time = ParsedTime()
        let verdict = parse(value, detail.format, &time)
        guard verdict == .done else { return verdict }
        return append(time, Int(step.detail), to: &rows)
    }

    private mutating func parse(_ value: FieldValue, _ format: TimeFormat, _ time: inout ParsedTime) -> Verdict {
        switch format {
        case .unix(let unit):
            var number = value.slot
            if value.kind == .string {
                let text = input(value).trimmed
                guard NumberInput.decimal(text, &number) == .decimal else { return .syntax }
            } else if value.kind != .number {
                return .syntax
            }
            guard number.isShort else { return .range }
            var microseconds: Int64 = 0
            let verdict = UnixTime.microseconds(number, unit, &microseconds)
            Self.set(&time, instant: microseconds)
            return verdict
        case .iso8601:
            guard value.kind == .string else { return .syntax }
            let text = input(value)
            let verdict = times.parse(text, &time)
            if verdict != .server { return verdict }
            time = ParsedTime()
            return TimeInput.timeOfDay(text, from: 0, &time) == .done ? .done : .syntax
        case .pattern(let pattern):
            guard value.kind == .string || value.kind == .number else { return .syntax }
            return PatternInput.parse(input(value), pattern, &time)
        }
    }

    static func set(_ time: inout ParsedTime, instant microseconds: Int64) {
        time.days = floorDivide(microseconds, ParsedTime.microsecondsPerDay)
        time.microseconds = microseconds &- time.days &* ParsedTime.microsecondsPerDay
        time.hasDate = true
        time.hasTime = true
        time.hasOffset = true
    }

    /// Appends a time in the column's type, converted through the mapping's zone.
    mutating func append(_ time: ParsedTime, _ detail: Int, to rows: inout CopyBuffer) -> Verdict {
        var time = time
        let target = details.timeFormats[detail].target
        if target == .time, !time.hasDate {
            rows.append(int8: time.microseconds)
            return .done
        }
        guard time.hasDate else { return .noDate }
        guard time.days > -200_000_000, time.days < 200_000_000 else { return .range }
        if target == .timestamptz {
            if !time.hasOffset { time.offset = details.offset(atLocal: time, detail) }
            return append(instant: time.local &- time.offset &* 1_000_000, to: &rows)
        }
        if time.hasOffset, details.timeFormats[detail].hasZone {
            let instant = time.local &- time.offset &* 1_000_000
            let offset = details.offset(atInstant: instant, detail)
            Self.set(&time, instant: instant &+ offset &* 1_000_000)
        }
        switch target {
        case .date:
            guard let days = Int32(exactly: time.days), PostgresTime.dateRange.contains(days) else { return .range }
            rows.append(date: days)
            return .done
        case .time:
            rows.append(int8: time.microseconds)
            return .done
        default: return append(instant: time.local, to: &rows)
        }
    }

    private func append(instant microseconds: Int64, to rows: inout CopyBuffer) -> Verdict {
        guard PostgresTime.timestampRange.contains(microseconds) else { return .range }
        rows.append(timestamp: microseconds)
        return .done
    }
}
