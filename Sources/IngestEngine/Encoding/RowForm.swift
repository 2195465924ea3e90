import PGWire

/// The fast path from messages to rows, for messages that have the form of an earlier one.
///
/// One loop compares the texts between the values with those of the earlier message, and writes each value straight
/// to its place in the row. A value in a rarer form is encoded as the general path does it. A message that deviates in
/// any other way, valid or not, is left to the general path: another field or white space, a value that isn't valid,
/// that its column doesn't take, or that only the server knows. Both paths therefore give the same rows.
@safe struct RowForm: ~Copyable {
    /// What to do with one value of the message, or with a column that the message has no value for.
    enum Operation: UInt8 {
        case int2, int4, int8, float4, float8, numeric, bool, text, limitedText, uuid, date
        /// Also `timestamptz`.
        case timestamp
        /// A column of any other type.
        case other
        /// A value that no column takes.
        case skip
        /// A column whose field the form lacks, and columns of the record's metadata.
        case null, offset, partition4, partition8
    }

    struct Step: BitwiseCopyable {
        var operation: Operation
        /// Whether null is written instead of the value.
        var takesNull = false
        /// Where the column's length is if all values before it have their ``Operation/size``.
        var place: Int32 = 0
        /// How many objects and arrays are around the value.
        var depth: Int32 = 0
        /// The column that takes the value, if one does.
        var column = ColumnStep()
        /// The text before the value.
        var text = FormText()
    }

    /// Longer messages are left to the general path, so that the room for their texts needn't be reserved.
    static let maximumMessage = 1 << 16

    /// How many messages of a form make it worth a fast path.
    static let minimumHits = 8
    /// After how many messages in a row that don't fit a form is dropped, and for how many messages.
    static let maximumMisses = 64
    static let pause = 1000

    private var steps: UnsafeMutablePointer<Step>
    private var stepCount = 0
    /// The texts that are too long for a ``FormText``.
    private var longTexts: UnsafeMutableRawPointer
    private var lastText = FormText()
    private var columnCount = 0
    /// The size of a row whose values have their ``Operation/size``.
    private var rowSize = 0
    private var isVariable = false
    private let nesting: NestingBits
    /// A value that was encoded as the general path does it.
    private var value = CopyBuffer()

    /// A form that no message has.
    init(nesting: NestingBits) {
        unsafe steps = .allocate(capacity: 0)
        unsafe longTexts = .allocate(byteCount: 0, alignment: 8)
        self.nesting = nesting
    }

    /// - Parameters:
    ///   - texts: The texts before the values of the steps, in their order, and the one behind the last value.
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
    /// - Returns: False if the message is left to the general path; nothing was appended.
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

    /// The room for what makes a row longer than `rowSize`: texts that are copied, by words of eight bytes, the last of
    /// which may go beyond a text's end; and values that the general path encodes, which may be longer than their texts.
    @inline(__always)
    private func spare(_ message: ByteView) -> (texts: Int, values: Int) {
        isVariable ? (message.count &+ 8, 2 &* message.count &+ 512) : (0, 0)
    }

    /// - Parameter row: Has room for `rowSize` bytes and those of `spare`.
    /// - Returns: The row's size; -1 if the message is left to the general path.
    private mutating func write(
        _ message: ByteView, _ metadata: RecordMetadata, _ fields: inout FieldEncoder,
        to row: UnsafeMutableRawPointer
    ) -> Int {
        // Never passed on as `inout`, so that it stays in a register.
        var position = 0
        // How many bytes values before have more than `place` expects. A step's bytes stay inside the room: they begin
        // at most `rowSize` less their own fixed size behind the texts that were copied, which are part of the message,
        // and the values that the general path encoded, which are given `spare.values` in all.
        var extra = 0
        var step = unsafe UnsafePointer(steps)
        let lastStep = unsafe step + stepCount
        while unsafe step != lastStep {
            guard unsafe step.pointee.text.isIn(message, at: position) else { return -1 }
            unsafe position &+= step.pointee.text.count
            let target = unsafe row + (Int(step.pointee.place) &+ extra)
            var end = position
            // The bytes of the value's strings or-ed, as in ``JSONScanner/seenBits``. The texts between the values are those of
            // a message that was valid.
            var seen: UInt64 = 0
            switch unsafe step.pointee.operation {
            case .int4:
                let value = Self.integer(message, at: position, upTo: Int64(Int32.max))
                end = value.end
                // Length and value in one store.
                unsafe Self.store(4 << 32 | UInt64(UInt32(truncatingIfNeeded: value.number)), to: target)
            case .int8:
                let value = Self.integer(message, at: position, upTo: .max)
                end = value.end
                unsafe Self.store(length: 8, value.number, to: target)
            case .timestamp:
                // A time that the fast form takes has no offset or is UTC.
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
                // Null, or a rarer form.
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

    /// A value that was written.
    struct Written {
        /// The position behind it; -1 if it was not written.
        var end = -1
        /// How many bytes it has more than its ``Operation/size``.
        var extra = 0
        /// The bytes of its strings or-ed.
        var seen: UInt64 = 0
    }

    /// Writes a value of a rarer type, if it is in its usual form.
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
            // Longer ones may have few enough characters.
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

    /// Writes a number with a fraction.
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

    /// Writes null, or a value that the general path encodes.
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
        // Behind the number of columns: the length and the value.
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

    /// Whether values may be longer or shorter than ``size``.
    var isVariable: Bool {
        switch self {
        case .text, .limitedText, .numeric, .other: true
        default: false
        }
    }

    /// The bytes of a value without its length: of a `numeric` the most that are written at once, and none of a text.
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
