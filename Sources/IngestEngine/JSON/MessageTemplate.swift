/// The form of an earlier message: the literal text between its values, and which values the plan reads.
///
/// A program usually writes all messages in the same form, field after field. So everything that isn't a value is
/// compared with the form, eight bytes at a time, instead of being parsed again: names, colons, commas and white space
/// that are unchanged are known to be valid. Values are scanned as in any message.
@safe struct MessageTemplate: ~Copyable {
    struct Value: BitwiseCopyable {
        /// The offset in `texts` of the literal text before the value.
        var text: Int32 = 0
        var textLength: Int32 = 0
        /// The slot; -1 if no path ends at the value.
        var slot: Int32 = -1
        /// The number of objects and arrays around the value.
        var depth: Int32 = 0
    }

    /// The limits of a form. Larger messages are rare, or consist mostly of their values anyway.
    private static let maximumValues = 512
    private static let maximumText = 16_384

    private let values: UnsafeMutablePointer<Value>
    private let texts: UnsafeMutableRawPointer
    private var count = 0
    private var textCount = 0
    /// While learning, the position after the last value; afterwards the length of the text after it.
    private var end = 0
    private(set) var isUsable = false
    /// The number of forms learnt so far.
    private(set) var number = 0

    init() {
        unsafe values = .allocate(capacity: Self.maximumValues)
        unsafe values.initialize(repeating: Value(), count: Self.maximumValues)
        // Eight extra bytes, so that a word can be read at any offset.
        unsafe texts = .allocate(byteCount: Self.maximumText + 8, alignment: 8)
        unsafe texts.initializeMemory(as: UInt8.self, repeating: 0, count: Self.maximumText + 8)
    }

    deinit {
        unsafe values.deallocate()
        unsafe texts.deallocate()
    }

    // MARK: Learning

    mutating func begin() {
        isUsable = false
        count = 0
        textCount = 0
        end = 0
    }

    /// Records the next value of the message being learnt.
    ///
    /// - Parameter valueEnd: The position after the value.
    mutating func note(_ message: ByteView, from start: Int, to valueEnd: Int, slot: Int, depth: Int) {
        guard count < Self.maximumValues, addText(message, from: end, to: start) else {
            count = Self.maximumValues
            return
        }
        unsafe values[count] = Value(
            text: Int32(textCount - (start - end)), textLength: Int32(start - end), slot: Int32(slot),
            depth: Int32(depth))
        count += 1
        end = valueEnd
    }

    /// Completes the form, since the message was valid.
    mutating func finish(_ message: ByteView) {
        guard count > 0, count < Self.maximumValues, addText(message, from: end, to: message.count) else { return }
        end = message.count - end
        isUsable = true
        number &+= 1
    }

    private mutating func addText(_ message: ByteView, from start: Int, to end: Int) -> Bool {
        guard textCount + end - start <= Self.maximumText else { return false }
        unsafe message.slice(start, end - start).copy(to: texts + textCount)
        textCount += end - start
        return true
    }

    // MARK: Use

    /// The number of the form's values.
    var valueCount: Int { count }

    /// - Precondition: `index < valueCount`.
    func value(_ index: Int) -> Value { unsafe values[index] }

    /// The literal text before a value, valid as long as the form.
    ///
    /// - Precondition: `index < valueCount`.
    func text(before index: Int) -> ByteView {
        let value = value(index)
        return unsafe ByteView(UnsafeRawPointer(texts + Int(value.text)), Int(value.textLength))
    }

    /// The literal text after the last value.
    var lastText: ByteView { unsafe ByteView(UnsafeRawPointer(texts + (textCount - end)), end) }

    /// Scans a message of this form.
    ///
    /// - Returns: false if it has another form, valid or not.
    @inline(__always)
    func scan(
        _ scanner: inout JSONScanner, _ slots: UnsafeMutablePointer<JSONSlot>, _ generation: UInt32
    ) -> Bool {
        let message = scanner.text
        var position = 0
        var unused = JSONSlot()
        for index in 0..<count {
            let value = unsafe values[index]
            let length = Int(value.textLength)
            guard matches(message, at: position, Int(value.text), length) else { return false }
            position &+= length
            if value.slot >= 0 {
                let slot = unsafe slots + Int(value.slot)
                unsafe slot.pointee.generation = generation
                position = unsafe scanner.value(at: position, into: &slot.pointee, depth: Int(value.depth))
            } else {
                position = scanner.value(at: position, into: &unused, depth: Int(value.depth))
            }
            guard position >= 0 else { return false }
        }
        return message.count &- position == end && matches(message, at: position, textCount &- end, end)
    }

    /// Whether the message has the text at this offset.
    @inline(__always)
    private func matches(_ message: ByteView, at offset: Int, _ text: Int, _ length: Int) -> Bool {
        guard message.count &- offset >= length else { return false }
        let text = unsafe ByteView(UnsafeRawPointer(texts + text), length)
        if length >= 8 {
            var index = 0
            while index &+ 8 <= length {
                if message.word(offset &+ index) != text.word(index) { return false }
                index &+= 8
            }
            return message.word(offset &+ length &- 8) == text.word(length &- 8)
        }
        var index = 0
        while index < length {
            if message[offset &+ index] != text[index] { return false }
            index &+= 1
        }
        return true
    }
}
