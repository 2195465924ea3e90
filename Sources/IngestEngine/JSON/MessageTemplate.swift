/// The form of a message that was scanned before: the texts between its values, and which values the plan takes.
///
/// A program writes its messages in the same form, field after field. What isn't a value is then compared with the
/// form, eight bytes at a time, instead of being parsed again: names, colons, commas and white space are known to be
/// right if they are the same as before. Values are scanned as in any message.
@safe struct MessageTemplate: ~Copyable {
    struct Value: BitwiseCopyable {
        /// Where the text before the value is, in `texts`.
        var text: Int32 = 0
        var textLength: Int32 = 0
        /// -1 for a value that no path ends at.
        var slot: Int32 = -1
        /// How many objects and arrays are around the value.
        var depth: Int32 = 0
    }

    /// Longer forms are not kept: their values are most of their bytes anyway, or they are rare.
    private static let maximumValues = 512
    private static let maximumText = 16_384

    private let values: UnsafeMutablePointer<Value>
    private let texts: UnsafeMutableRawPointer
    private var count = 0
    private var textCount = 0
    /// Where the text behind the last value is.
    private var end = 0
    private(set) var isUsable = false
    /// How many forms were learnt.
    private(set) var number = 0

    init() {
        unsafe values = .allocate(capacity: Self.maximumValues)
        unsafe values.initialize(repeating: Value(), count: Self.maximumValues)
        // Some bytes more, so that eight can be read from any place.
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

    /// Notes a value of the message that is scanned, in the order of the message.
    ///
    /// - Parameter valueEnd: Behind the value.
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

    /// Ends learning with a message that turned out to be valid.
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

    /// How many values the form has.
    var valueCount: Int { count }

    /// - Precondition: `index < valueCount`.
    func value(_ index: Int) -> Value { unsafe values[index] }

    /// The text before a value, valid as long as the form is.
    ///
    /// - Precondition: `index < valueCount`.
    func text(before index: Int) -> ByteView {
        let value = value(index)
        return unsafe ByteView(UnsafeRawPointer(texts + Int(value.text)), Int(value.textLength))
    }

    /// The text behind the last value.
    var lastText: ByteView { unsafe ByteView(UnsafeRawPointer(texts + (textCount - end)), end) }

    /// Scans a message of this form.
    ///
    /// - Returns: False if it has any other form, valid or not.
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

    /// Whether the text stands in a message at an offset.
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
