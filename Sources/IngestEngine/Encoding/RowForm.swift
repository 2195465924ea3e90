import PGWire

/// The fast path from messages to rows, for messages that have the form of an earlier one.
///
/// One loop compares the texts between the values with those of the earlier message, and writes each value straight
/// to its place in the row. A message that deviates in any way, valid or not, is left to the general path: another
/// field or white space, a string with an escape, a number with more than 19 digits, a time in a rare form, a value
/// that its column doesn't take. Both paths therefore give the same rows.
@safe struct RowForm: ~Copyable {
    /// What to do with one value of the message, or with a column that the message has no value for.
    enum Operation: UInt8 {
        case int2, int4, int8, float8, bool, text, date
        /// Also `timestamptz`.
        case timestamp
        /// A value that no column takes.
        case skip
        /// A column whose field the form lacks, and columns of the record's metadata.
        case null, offset, partition4, partition8
    }

    struct Step: BitwiseCopyable {
        var operation: Operation
        /// Whether null is written instead of the value.
        var takesNull = false
        /// Where the column's length is if all values before it have their usual sizes, and texts are empty.
        var place: Int32 = 0
        /// How many objects and arrays are around the value.
        var depth: Int32 = 0
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
    /// The size of a row whose texts are empty.
    private var rowSize = 0
    private var hasTexts = false
    private let nesting: NestingBits

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
        hasTexts = list.contains { $0.operation == .text }
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
    func append(
        _ message: ByteView, _ metadata: RecordMetadata, _ times: inout TimeInput, to rows: inout CopyBuffer
    ) -> Bool {
        guard isUsable, message.count >= 8, message.count <= Self.maximumMessage else { return false }
        // A text is copied by words of eight bytes, the last of which may go beyond its end.
        let room = rowSize &+ (hasTexts ? message.count &+ 8 : 0)
        return unsafe rows.appendRow(columns: columnCount, atMost: room) { row in
            unsafe write(message, metadata, &times, to: row)
        }
    }

    /// - Parameter row: Has room for `rowSize` bytes, and if the form has texts for the message and eight bytes more.
    /// - Returns: The row's size; -1 if the message is left to the general path.
    private func write(
        _ message: ByteView, _ metadata: RecordMetadata, _ times: inout TimeInput, to row: UnsafeMutableRawPointer
    ) -> Int {
        // Never passed on as `inout`, so that it stays in a register.
        var position = 0
        // All bytes of strings or-ed, as in ``JSONScanner/seenBits``.
        var seen: UInt64 = 0
        // How many bytes values before have more than `place` expects. A step's bytes stay inside the room: they begin
        // at most `rowSize` less their own fixed size behind the texts that were copied, which are part of the message.
        var extra = 0
        var step = unsafe UnsafePointer(steps)
        let lastStep = unsafe step + stepCount
        while unsafe step != lastStep {
            guard unsafe step.pointee.text.isIn(message, at: position) else { return -1 }
            unsafe position &+= step.pointee.text.count
            let target = unsafe row + (Int(step.pointee.place) &+ extra)
            var end = position
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
                let value = times.usualTimestamp(message, at: position)
                end = value.end
                unsafe Self.store(length: 8, value.microseconds, to: target)
            case .text:
                let value = unsafe Self.copyText(message, at: position, to: target + 4)
                end = value.end
                seen |= value.seen
                unsafe Self.store(Int32(truncatingIfNeeded: value.length), to: target)
                extra &+= value.length
            case .null: unsafe Self.store(Int32(-1), to: target)
            case .skip:
                let value = unsafe Self.skip(message, at: position, depth: Int(step.pointee.depth), nesting)
                end = value.end
                seen |= value.seen
            default:
                end = unsafe writeOther(
                    step.pointee.operation, message, at: position, metadata, &times, to: target)
            }
            if end < 0 {
                guard unsafe step.pointee.takesNull, isNull(message, at: position) else { return -1 }
                unsafe Self.store(Int32(-1), to: target)
                unsafe extra &-= step.pointee.operation.size
                end = position &+ 4
            }
            position = end
            unsafe step += 1
        }
        guard message.count &- position == lastText.count, lastText.isIn(message, at: position) else { return -1 }
        guard seen & 0x8080_8080_8080_8080 == 0 || message.isUTF8 else { return -1 }
        return rowSize &+ extra
    }

    /// Writes a value of a rarer type.
    ///
    /// - Returns: The position behind it; -1 if the message is left to the general path.
    @inline(never)
    private func writeOther(
        _ operation: Operation, _ message: ByteView, at position: Int, _ metadata: RecordMetadata,
        _ times: inout TimeInput, to target: UnsafeMutableRawPointer
    ) -> Int {
        switch operation {
        case .int2:
            let value = Self.integer(message, at: position, upTo: Int64(Int16.max))
            guard value.end > 0 else { return -1 }
            unsafe Self.store(length: 2, Int16(truncatingIfNeeded: value.number), to: target)
            return value.end
        case .float8:
            var scanner = JSONScanner(message, nesting: nesting)
            var number = JSONSlot()
            let first = message.byte(orZero: position)
            guard first == UInt8(ascii: "-") || first &- UInt8(ascii: "0") <= 9 else { return -1 }
            let end = scanner.number(at: position, into: &number)
            guard end >= 0, let double = FloatInput.exact(number) else { return -1 }
            unsafe Self.store(length: 8, double.bitPattern, to: target)
            return end
        case .date:
            guard let days = times.usualDate(message, at: position) else { return -1 }
            unsafe Self.store(length: 4, Int32(truncatingIfNeeded: days), to: target)
            return position &+ 12
        case .bool:
            let word = message.word(within: position)
            let isTrue = word & 0xffff_ffff == 0x6575_7274
            guard isTrue || word & 0xff_ffff_ffff == 0x65_736c_6166 else { return -1 }
            unsafe Self.store(length: 1, UInt8(isTrue ? 1 : 0), to: target)
            return position &+ (isTrue ? 4 : 5)
        case .offset: unsafe Self.store(length: 8, metadata.offset, to: target)
        case .partition4: unsafe Self.store(length: 4, metadata.partition, to: target)
        case .partition8: unsafe Self.store(length: 8, Int64(metadata.partition), to: target)
        case .int4, .int8, .timestamp, .text, .skip, .null: return -1
        }
        return position
    }

    @inline(__always)
    private func isNull(_ message: ByteView, at position: Int) -> Bool {
        message.word(within: position) & 0xffff_ffff == 0x6c6c_756e
    }
}

extension RowForm.Operation {
    /// The operation for a column's type; nil for a type that only the general path encodes.
    init?(_ operation: ColumnOperation) {
        switch operation {
        case .int2: self = .int2
        case .int4: self = .int4
        case .int8: self = .int8
        case .float8: self = .float8
        case .bool: self = .bool
        case .text: self = .text
        case .timestamp, .timestamptz: self = .timestamp
        case .date: self = .date
        default: return nil
        }
    }

    /// The bytes of a value without its length; 0 for a text.
    var size: Int {
        switch self {
        case .bool: 1
        case .int2: 2
        case .int4, .date, .partition4: 4
        case .int8, .float8, .timestamp, .offset, .partition8: 8
        case .text, .skip, .null: 0
        }
    }
}
