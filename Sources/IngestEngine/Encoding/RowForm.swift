import PGWire

/// The fast path that turns messages of a known form into rows.
///
/// One loop compares the literal text between the values with that of an earlier message, and writes each value
/// straight to its place in the row. A value in a rarer form is encoded as on the general path. Any other deviation
/// leaves the message to the general path, whether it is valid or not: another field or other white space, an invalid
/// value, one that its column refuses, or one that only the server can parse. So both paths give the same rows.
@safe struct RowForm: ~Copyable {
    /// How to handle a value of the message, or a column that has no value in the message.
    enum Operation: UInt8 {
        case int2, int4, int8, float4, float8, numeric, bool, text, limitedText, uuid, date
        /// Also `timestamptz`.
        case timestamp
        /// A column of any other type.
        case other
        /// A value that no column reads.
        case skip
        /// A column whose field is missing in the form, or a column of the record's metadata.
        case null, offset, partition4, partition8
    }

    struct Step: BitwiseCopyable {
        var operation: Operation
        /// Whether a null in the message is written as null.
        var takesNull = false
        /// The offset in the row of the column's length field, if all earlier values have their ``Operation/size``.
        var place: Int32 = 0
        /// The number of objects and arrays around the value.
        var depth: Int32 = 0
        /// The column that reads the value; a default step if none does.
        var column = ColumnStep()
        /// The literal text before the value.
        var text = FormText()
    }

    /// The longest message in bytes. Longer ones are left to the general path, so that less room has to be reserved.
    static let maximumMessage = 1 << 16

    /// The number of messages of one form after which a fast path is built.
    static let minimumHits = 8
    /// The number of consecutive misses after which a form is dropped, and the number of messages until the next one
    /// is built.
    static let maximumMisses = 64
    static let pause = 1000

    private var steps: UnsafeMutablePointer<Step>
    private var stepCount = 0
    /// Literal texts that are too long for a ``FormText``.
    private var longTexts: UnsafeMutableRawPointer
    private var lastText = FormText()
    private var columnCount = 0
    /// The row's size if all values have their ``Operation/size``.
    private var rowSize = 0
    private var isVariable = false
    private let nesting: NestingBits
    /// A scratch buffer for a value encoded as on the general path.
    private var value = CopyBuffer()

    /// Creates a form that matches no message.
    init(nesting: NestingBits) {
        unsafe steps = .allocate(capacity: 0)
        unsafe longTexts = .allocate(byteCount: 0, alignment: 8)
        self.nesting = nesting
    }

    /// Creates a form.
    ///
    /// - Parameter texts: The literal text before the value of each step, then the text after the last value.
    init(_ list: [Step], texts: [[UInt8]], columnCount: Int, rowSize: Int, nesting: NestingBits) {
        stepCount = list.count
        unsafe steps = .allocate(capacity: list.count)
        unsafe longTexts = .allocate(byteCount: texts.reduce(0) { $0 + $1.count }, alignment: 8)
        var used = 0
        for (index, step) in list.enumerated() {
            var step = step
            step.text = unsafe FormText(texts[index], longTexts, &used)
            unsafe (steps + index).initialize(to: step)
        }
        lastText = unsafe FormText(texts[list.count], longTexts, &used)
        self.columnCount = columnCount
        self.rowSize = rowSize
        isVariable = list.contains { $0.operation.isVariable }
        self.nesting = nesting
    }

    deinit {
        unsafe steps.deallocate()
        unsafe longTexts.deallocate()
    }

    var isUsable: Bool {
        @inline(__always) get { stepCount > 0 }
    }

    /// Appends the row of a message of this form.
    ///
    /// - Returns: false if the message is left to the general path. Nothing was appended then.
    @inline(__always)
    mutating func append(
        _ message: ByteView, _ metadata: RecordMetadata, _ fields: inout FieldEncoder, to rows: inout CopyBuffer
    ) -> Bool {
        guard isUsable, message.count >= 8, message.count <= Self.maximumMessage else { return false }
        let spare = spare(message)
        return unsafe rows.appendRow(columns: columnCount, atMost: rowSize &+ spare.texts &+ spare.values) { row in
            unsafe write(message, metadata, &fields, to: row)
        }
    }

    /// The bytes by which a row may exceed `rowSize`, in two parts. Copied texts are written in words of eight bytes,
    /// the last of which may extend past a text's end. Values that the general path encodes may be longer than their
    /// text in the message.
    @inline(__always)
    private func spare(_ message: ByteView) -> (texts: Int, values: Int) {
        isVariable ? (message.count &+ 8, 2 &* message.count &+ 512) : (0, 0)
    }

    /// Writes a row.
    ///
    /// - Parameter row: Room for `rowSize` bytes and those of `spare`.
    /// - Returns: The row's size in bytes; -1 if the message is left to the general path.
    private mutating func write(
        _ message: ByteView, _ metadata: RecordMetadata, _ fields: inout FieldEncoder,
        to row: UnsafeMutableRawPointer
    ) -> Int {
        // Never passed as `inout`, so that it stays in a register.
        var position = 0
        // The bytes by which earlier values exceed what `place` assumes. A step's bytes stay within the room: they
        // begin at most `rowSize` minus their own fixed size after the copied texts, which are part of the message,
        // and after the values encoded by the general path, which share `spare.values`.
        var extra = 0
        var step = unsafe UnsafePointer(steps)
        let lastStep = unsafe step + stepCount
        while unsafe step != lastStep {
            guard unsafe step.pointee.text.isIn(message, at: position) else { return -1 }
            unsafe position &+= step.pointee.text.count
            let target = unsafe row + (Int(step.pointee.place) &+ extra)
            var end = position
            // The bitwise OR of the words of the value's strings, as in ``JSONScanner/seenBits``. The literal text
            // between the values was validated in an earlier message.
            var seen: UInt64 = 0
            switch unsafe step.pointee.operation {
            case .int4:
                let value = Self.integer(message, at: position, upTo: Int64(Int32.max))
                end = value.end
                // Writes length and value in one store.
                unsafe Self.store(4 << 32 | UInt64(UInt32(truncatingIfNeeded: value.number)), to: target)
            case .int8:
                let value = Self.integer(message, at: position, upTo: .max)
                end = value.end
                unsafe Self.store(length: 8, value.number, to: target)
            case .timestamp:
                // The fast form accepts only times without an offset or in UTC.
                let value = fields.times.usualTimestamp(message, at: position)
                end = value.end
                unsafe Self.store(length: 8, value.microseconds, to: target)
            case .text:
                let value = unsafe Self.copyText(message, at: position, to: target + 4)
                end = value.end
                seen = value.seen
                unsafe Self.store(Int32(truncatingIfNeeded: value.length), to: target)
                if end >= 0 { extra &+= value.length }
            case .null: unsafe Self.store(Int32(-1), to: target)
            case .offset: unsafe Self.store(length: 8, metadata.offset, to: target)
            case .partition4: unsafe Self.store(length: 4, metadata.partition, to: target)
            case .partition8: unsafe Self.store(length: 8, Int64(metadata.partition), to: target)
            case .skip:
                let value = unsafe Self.skip(message, at: position, depth: Int(step.pointee.depth), nesting)
                end = value.end
                seen = value.seen
            default:
                let value = unsafe writeOther(step, message, at: position, &fields, to: target)
                end = value.end
                seen = value.seen
                extra &+= value.extra
            }
            if end < 0 {
                // A null or a rarer form.
                let value = unsafe writeRare(step, message, at: position, extra, &fields, to: target)
                guard value.end >= 0 else { return -1 }
                end = value.end
                seen = value.seen
                extra &+= value.extra
            }
            if seen & 0x8080_8080_8080_8080 != 0, !message.slice(position, end &- position).isUTF8 { return -1 }
            position = end
            unsafe step += 1
        }
        guard message.count &- position == lastText.count, lastText.isIn(message, at: position) else { return -1 }
        return rowSize &+ extra
    }

    /// The result of writing a value.
    struct Written {
        /// The position after the value in the message; -1 if it was not written.
        var end = -1
        /// The number of bytes beyond its ``Operation/size``; may be negative.
        var extra = 0
        /// The bitwise OR of the words of its strings.
        var seen: UInt64 = 0
    }

    /// Writes a value of a rarer type if it is in its usual form.
    @inline(never)
    private func writeOther(
        _ step: UnsafePointer<Step>, _ message: ByteView, at position: Int, _ fields: inout FieldEncoder,
        to target: UnsafeMutableRawPointer
    ) -> Written {
        switch unsafe step.pointee.operation {
        case .int2:
            let value = Self.integer(message, at: position, upTo: Int64(Int16.max))
            unsafe Self.store(length: 2, Int16(truncatingIfNeeded: value.number), to: target)
            return Written(end: value.end)
        case .float4, .float8, .numeric:
            return unsafe writeDecimal(step, message, at: position, to: target)
        case .limitedText:
            let value = unsafe Self.copyText(message, at: position, to: target + 4)
            // A longer text may still have few enough characters.
            guard value.end >= 0, unsafe value.length <= Int(step.pointee.column.limit) else { return Written() }
            unsafe Self.store(Int32(truncatingIfNeeded: value.length), to: target)
            return Written(end: value.end, extra: value.length, seen: value.seen)
        case .uuid:
            guard message.count &- position >= 38, message[position] == UInt8(ascii: "\""),
                message[position &+ 37] == UInt8(ascii: "\""),
                unsafe HexDigits.decodeUUID(message.slice(position &+ 1, 36), to: target + 4) > 0
            else { return Written() }
            unsafe Self.store(Int32(16), to: target)
            return Written(end: position &+ 38)
        case .date:
            guard let days = fields.times.usualDate(message, at: position) else { return Written() }
            unsafe Self.store(length: 4, Int32(truncatingIfNeeded: days), to: target)
            return Written(end: position &+ 12)
        case .bool:
            let word = message.word(within: position)
            let isTrue = word & 0xffff_ffff == 0x6575_7274
            guard isTrue || word & 0xff_ffff_ffff == 0x65_736c_6166 else { return Written() }
            unsafe Self.store(length: 1, UInt8(isTrue ? 1 : 0), to: target)
            return Written(end: position &+ (isTrue ? 4 : 5))
        default: return Written()
        }
    }

    /// Writes a `float4`, `float8` or `numeric`.
    @inline(__always)
    private func writeDecimal(
        _ step: UnsafePointer<Step>, _ message: ByteView, at position: Int, to target: UnsafeMutableRawPointer
    ) -> Written {
        let first = message.byte(orZero: position)
        guard first == UInt8(ascii: "-") || first &- UInt8(ascii: "0") <= 9 else { return Written() }
        var scanner = JSONScanner(message, nesting: nesting)
        var number = JSONSlot()
        let end = scanner.number(at: position, into: &number)
        guard end >= 0, number.isShort else { return Written() }
        switch unsafe step.pointee.operation {
        case .numeric:
            guard unsafe NumericInput.fits(number, step.pointee.column) else { return Written() }
            let size = unsafe NumericInput.write(number, to: target + 4)
            unsafe Self.store(Int32(truncatingIfNeeded: size), to: target)
            return Written(end: end, extra: size &- RowForm.Operation.numeric.size)
        case .float4:
            guard let float = FloatInput.usualFloat(number) else { return Written() }
            unsafe Self.store(length: 4, float.bitPattern, to: target)
        default:
            guard let double = FloatInput.usualDouble(number) else { return Written() }
            unsafe Self.store(length: 8, double.bitPattern, to: target)
        }
        return Written(end: end)
    }

    /// Writes a null, or a value encoded as on the general path.
    @inline(never)
    private mutating func writeRare(
        _ step: UnsafePointer<Step>, _ message: ByteView, at position: Int, _ extra: Int,
        _ fields: inout FieldEncoder, to target: UnsafeMutableRawPointer
    ) -> Written {
        let size = unsafe step.pointee.operation.size
        if message.word(within: position) & 0xffff_ffff == 0x6c6c_756e {
            guard unsafe step.pointee.takesNull else { return Written() }
            unsafe Self.store(Int32(-1), to: target)
            return Written(end: position &+ 4, extra: 0 &- size)
        }
        guard unsafe step.pointee.operation != .skip else { return Written() }
        var scanner = JSONScanner(message, nesting: nesting)
        var slot = JSONSlot()
        let end = unsafe scanner.value(at: position, into: &slot, depth: Int(step.pointee.depth))
        guard end >= 0, !scanner.isUnusual else { return Written() }
        fields.isUnusual = false
        value.removeAll()
        value.beginRow(columns: 1)
        let text = message.slice(Int(slot.offset), Int(slot.length))
        guard unsafe fields.encode(FieldValue(text, slot), step.pointee.column, to: &value) == .done else {
            return Written()
        }
        // The number of columns is skipped; the length and the value follow.
        let longer = value.byteCount &- 6 &- size
        guard !value.hasOpenRow, longer == 0 || isVariable && extra &+ longer <= spare(message).values
        else { return Written() }
        unsafe value.bytes.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            unsafe target.copyMemory(from: base + 2, byteCount: bytes.count - 2)
        }
        return Written(end: end, extra: longer, seen: scanner.seenBits)
    }
}

extension RowForm.Operation {
    init(_ operation: ColumnOperation) {
        self =
            switch operation {
            case .int2: .int2
            case .int4: .int4
            case .int8: .int8
            case .float4: .float4
            case .float8: .float8
            case .numeric: .numeric
            case .bool: .bool
            case .text: .text
            case .limitedText: .limitedText
            case .uuid: .uuid
            case .timestamp, .timestamptz: .timestamp
            case .date: .date
            default: .other
            }
    }

    /// Whether a value's size can differ from ``size``.
    var isVariable: Bool {
        switch self {
        case .text, .limitedText, .numeric, .other: true
        default: false
        }
    }

    /// The bytes reserved for a value, without its length field: for `numeric` the maximum, for texts 0.
    var size: Int {
        switch self {
        case .bool: 1
        case .int2: 2
        case .int4, .float4, .date, .partition4: 4
        case .int8, .float8, .timestamp, .offset, .partition8: 8
        case .uuid: 16
        case .numeric: NumericInput.maximumSize
        case .text, .limitedText, .other, .skip, .null: 0
        }
    }
}
