import PGWire

/// Encodes one value for one column. The caller must roll back the row after any verdict other than `.done`.
struct FieldEncoder: ~Copyable {
    var details = StepDetails()
    var times = TimeInput()
    var scratch = ScratchMemory()
    /// Holds the unescaped text while `scratch` holds another form of it.
    var secondScratch = ScratchMemory()
    /// Used to scan the elements of arrays.
    let nesting: NestingBits
    /// Whether the message has values that `jsonb` might refuse.
    var isUnusual = false

    init(nesting: NestingBits) { self.nesting = nesting }

    /// Encodes the usual forms of the most frequent types in place. All other values need ``encode(_:_:to:)``.
    ///
    /// - Returns: true if the value was appended.
    @inline(__always)
    mutating func encodeUsual(
        _ message: ByteView, _ slot: UnsafePointer<JSONSlot>, _ operation: ColumnOperation, to rows: inout CopyBuffer
    ) -> Bool {
        let kind = unsafe slot.pointee.kind
        switch operation {
        case .int4:
            let digits = unsafe slot.pointee.digits
            guard kind == .number, unsafe slot.pointee.isShort, unsafe slot.pointee.isInteger,
                digits <= UInt64(Int32.max)
            else { return false }
            let number = Int32(truncatingIfNeeded: digits)
            rows.append(int4: unsafe slot.pointee.isNegative ? 0 &- number : number)
        case .int8:
            let digits = unsafe slot.pointee.digits
            guard kind == .number, unsafe slot.pointee.isShort, unsafe slot.pointee.isInteger,
                digits <= UInt64(Int64.max)
            else { return false }
            let number = Int64(truncatingIfNeeded: digits)
            rows.append(int8: unsafe slot.pointee.isNegative ? 0 &- number : number)
        case .timestamp, .timestamptz:
            guard kind == .string, unsafe !slot.pointee.hasEscapes else { return false }
            let view = unsafe message.slice(Int(slot.pointee.offset), Int(slot.pointee.length))
            var time = ParsedTime()
            guard times.parse(view, &time) == .done else { return false }
            rows.append(timestamp: time.local &- (operation == .timestamptz ? time.offset &* 1_000_000 : 0))
        case .text:
            guard kind == .string, unsafe !slot.pointee.hasEscapes else { return false }
            append(unsafe message.slice(Int(slot.pointee.offset), Int(slot.pointee.length)), to: &rows)
        case .float8:
            guard kind == .number, let number = unsafe FloatInput.exact(slot.pointee) else { return false }
            rows.append(float8: number)
        default: return false
        }
        return true
    }

    /// Encodes any value for any column.
    @inline(never)
    mutating func encode(_ value: FieldValue, _ step: ColumnStep, to rows: inout CopyBuffer) -> Verdict {
        switch step.operation {
        case .bool: return bool(value, to: &rows)
        case .int2, .int4, .int8:
            var number: Int64 = 0
            let verdict = integer(value, &number)
            guard verdict == .done else { return verdict }
            return Self.append(number, step.operation, to: &rows) ? .done : .range
        case .float4: return float4(value, to: &rows)
        case .float8: return float8(value, to: &rows)
        case .numeric: return numeric(value, step, to: &rows)
        case .text, .limitedText: return text(value, step, to: &rows)
        case .bytea: return bytea(value, to: &rows)
        case .encodedBytes: return encodedBytes(value, step, to: &rows)
        case .date: return date(value, to: &rows)
        case .time: return time(value, to: &rows)
        case .timestamp, .timestamptz: return timestamp(value, step, to: &rows)
        case .formattedTime: return formattedTime(value, step, to: &rows)
        case .interval: return interval(value)
        case .uuid: return uuid(value, to: &rows)
        case .json, .jsonb: return json(value, step, to: &rows)
        case .inet: return inet(value, to: &rows)
        case .enumeration: return enumeration(value, step, to: &rows)
        case .array: return array(value, step, to: &rows)
        case .other: return .server
        }
    }

    /// Appends an integer; false if it is out of the type's range.
    private static func append(_ number: Int64, _ operation: ColumnOperation, to rows: inout CopyBuffer) -> Bool {
        switch operation {
        case .int2:
            guard let number = Int16(exactly: number) else { return false }
            rows.append(int2: number)
        case .int4:
            guard let number = Int32(exactly: number) else { return false }
            rows.append(int4: number)
        default: rows.append(int8: number)
        }
        return true
    }

    /// The characters that the type's input function would receive.
    @inline(__always)
    mutating func input(_ value: FieldValue) -> ByteView {
        value.slot.hasEscapes ? scratch.unescape(value.view) : value.view
    }

    @inline(__always)
    func append(_ view: ByteView, to rows: inout CopyBuffer) {
        unsafe rows.appendField(atMost: view.count) { target in
            unsafe view.copy(to: target)
            return view.count
        }
    }

    // MARK: Numbers

    private mutating func integer(_ value: FieldValue, _ number: inout Int64) -> Verdict {
        if value.kind == .number, value.slot.isShort, value.slot.isInteger {
            return NumberInput.signed(value.slot.digits, value.slot.isNegative, &number)
        }
        return integerText(value, &number)
    }

    private mutating func integerText(_ value: FieldValue, _ number: inout Int64) -> Verdict {
        switch value.kind {
        case .string: NumberInput.integer(input(value), &number)
        case .number: value.slot.isInteger ? NumberInput.integer(value.view, &number) : .syntax
        default: .syntax
        }
    }

    /// Parses a decimal number, for types with a fraction.
    private mutating func decimal(_ value: FieldValue, _ number: inout JSONSlot, _ text: inout ByteView) -> Verdict {
        switch value.kind {
        case .number:
            number = value.slot
            text = value.view
            return .done
        case .string:
            text = input(value).trimmed
            switch NumberInput.decimal(text, &number) {
            case .decimal: return .done
            case .none: return .syntax
            case .unknown: return .server
            }
        default: return .syntax
        }
    }

    @inline(never)
    private mutating func float8(_ value: FieldValue, to rows: inout CopyBuffer) -> Verdict {
        var number = JSONSlot()
        var text = value.view
        let form = decimal(value, &number, &text)
        guard form == .done else { return appendNotANumber(form, text, to: &rows) { $0.append(float8: .nan) } }
        var double = 0.0
        let verdict = FloatInput.double(text, number, &double)
        if verdict == .done { rows.append(float8: double) }
        return verdict
    }

    private mutating func float4(_ value: FieldValue, to rows: inout CopyBuffer) -> Verdict {
        var number = JSONSlot()
        var text = value.view
        let form = decimal(value, &number, &text)
        guard form == .done else { return appendNotANumber(form, text, to: &rows) { $0.append(float4: .nan) } }
        var float: Float = 0
        let verdict = FloatInput.float(text, number, &float)
        if verdict == .done { rows.append(float4: float) }
        return verdict
    }

    private mutating func numeric(_ value: FieldValue, _ step: ColumnStep, to rows: inout CopyBuffer) -> Verdict {
        var number = JSONSlot()
        var text = value.view
        let form = decimal(value, &number, &text)
        guard form == .done else {
            return appendNotANumber(form, text, to: &rows) { rows in
                // This text never throws.
                try? rows.append(numeric: "NaN")
            }
        }
        return NumericInput.append(text, number, step, to: &rows)
    }

    /// Appends NaN if the text is exactly `NaN`.
    private func appendNotANumber(
        _ verdict: Verdict, _ text: ByteView, to rows: inout CopyBuffer, _ append: (inout CopyBuffer) -> Void
    ) -> Verdict {
        guard verdict == .server, text.count == 3, text.word(padded: 0) == 0x4e_614e else { return verdict }
        append(&rows)
        return .done
    }

    /// Accepts the words of `boolean` and their abbreviations.
    private mutating func bool(_ value: FieldValue, to rows: inout CopyBuffer) -> Verdict {
        switch value.kind {
        case .true, .false:
            rows.append(bool: value.kind == .true)
            return .done
        case .string, .number:
            let text = input(value).trimmed
            guard let truth = Self.truth(text) else { return .syntax }
            rows.append(bool: truth)
            return .done
        default: return .syntax
        }
    }

    private static func truth(_ text: ByteView) -> Bool? {
        func isBeginning(_ word: StaticString, atLeast count: Int) -> Bool {
            guard text.count >= count, text.count <= word.utf8CodeUnitCount else { return false }
            return word.withUTF8Buffer { letters in
                for index in 0..<text.count {
                    guard unsafe text[index] | 0x20 == letters[index], text[index] >= 0x41 else { return false }
                }
                return true
            }
        }
        if text.count == 1 {
            if text[0] == UInt8(ascii: "1") { return true }
            if text[0] == UInt8(ascii: "0") { return false }
        }
        if isBeginning("true", atLeast: 1) || isBeginning("yes", atLeast: 1) || isBeginning("on", atLeast: 2) {
            return true
        }
        if isBeginning("false", atLeast: 1) || isBeginning("no", atLeast: 1) || isBeginning("off", atLeast: 2) {
            return false
        }
        return nil
    }
}
