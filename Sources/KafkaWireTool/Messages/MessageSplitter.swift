import CommandLineSupport

/// Splits input into messages at delimiters. The last message needs no delimiter.
struct MessageSplitter {
    /// The maximum length of a message, in bytes. No broker accepts a longer one.
    static let longestMessage = 256 << 20

    private let delimiter: [UInt8]
    private var buffer: [UInt8] = []
    /// The start of the next message.
    private var position = 0
    /// The position up to which there is no delimiter.
    private var searched = 0
    private var isAtEnd = false

    init(delimiter: [UInt8]) {
        self.delimiter = delimiter
    }

    /// Adds the next chunk of input.
    ///
    /// - Throws: A failure of status `badData` if a message is longer than `longestMessage`.
    mutating func append(_ chunk: [UInt8]) throws(Failure) {
        if position == buffer.count {
            buffer = chunk
        } else {
            buffer.removeSubrange(..<position)
            buffer += chunk
        }
        searched -= min(position, searched)
        position = 0
        guard buffer.count <= Self.longestMessage + chunk.count else {
            throw Failure("the input has a message of more than \(Self.longestMessage) bytes", status: .badData)
        }
    }

    /// Marks the end of the input, so that `next` also returns a last message without a delimiter.
    mutating func finish() { isAtEnd = true }

    /// The next message's range in `bytes`; nil if more input is needed.
    mutating func next() -> Range<Int>? {
        let first = position
        if let end = delimiterPosition(from: max(searched, first)) {
            position = end + delimiter.count
            searched = position
            return first..<end
        }
        searched = max(first, buffer.count - delimiter.count + 1)
        guard isAtEnd, first < buffer.count else { return nil }
        position = buffer.count
        return first..<buffer.count
    }

    var bytes: RawSpan {
        @_lifetime(borrow self)
        // Every bit pattern is a valid byte.
        get { unsafe buffer.span.bytes }
    }

    private func delimiterPosition(from start: Int) -> Int? {
        let bytes = buffer.span
        let last = buffer.count - delimiter.count
        guard start <= last else { return nil }
        let first = delimiter[0]
        var index = start
        while index <= last {
            if bytes[index] == first, matches(at: index) { return index }
            index += 1
        }
        return nil
    }

    private func matches(at index: Int) -> Bool {
        let bytes = buffer.span
        for offset in 1..<max(1, delimiter.count) where bytes[index + offset] != delimiter[offset] { return false }
        return true
    }
}
