import CommandLineSupport

/// Takes input apart into messages: what lies between delimiters. A last one without a delimiter counts too.
struct MessageSplitter {
    /// A longer message is refused: no broker would take it.
    static let longestMessage = 256 << 20

    private let delimiter: [UInt8]
    private var buffer: [UInt8] = []
    /// Where the next message begins.
    private var position = 0
    /// From where on it isn't known yet whether there is a delimiter.
    private var searched = 0
    private var isAtEnd = false

    init(delimiter: [UInt8]) {
        self.delimiter = delimiter
    }

    /// Takes in what comes next.
    ///
    /// - Throws: A failure where there is no delimiter in very much input.
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

    /// After this the last message counts, even without a delimiter.
    mutating func finish() { isAtEnd = true }

    /// The next message's place in `bytes`; nil where more input is needed.
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
        // Bytes have no wrong values.
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
