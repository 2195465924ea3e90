/// Writes text into borrowed memory, which is reused for each message.
///
/// It stores whole words of eight bytes even if only their first bytes count, so the memory needs room for seven bytes
/// more than the text.
struct TextWriter: ~Copyable, ~Escapable {
    private var space: MutableSpan<UInt8>
    /// The number of bytes written.
    private(set) var count = 0

    @_lifetime(copy space)
    init(_ space: consuming MutableSpan<UInt8>) {
        self.space = space
    }

    /// Text that is written often, prepared for fast writing.
    struct Phrase: Sendable {
        fileprivate let words: [UInt64]
        fileprivate let count: Int

        init(_ text: String) {
            let bytes = Array(text.utf8)
            count = bytes.count
            words = stride(from: 0, to: bytes.count, by: 8).map { begin in
                bytes[begin..<min(begin + 8, bytes.count)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
            }
        }
    }

    @_lifetime(self: copy self)
    mutating func append(_ phrase: borrowing Phrase) {
        let words = phrase.words.span
        for index in words.indices { store(words[index], at: count + 8 * index) }
        count += phrase.count
    }

    @_lifetime(self: copy self)
    mutating func append(_ character: Unicode.Scalar) {
        space[count] = UInt8(truncatingIfNeeded: character.value)
        count += 1
    }

    /// Appends a number from 0 to 99 as two digits.
    @_lifetime(self: copy self)
    mutating func append(twoDigits number: UInt64) {
        space[count] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / 10)
        space[count + 1] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number % 10)
        count += 2
    }

    @_lifetime(self: copy self)
    mutating func append(_ number: Int32) {
        if number < 0 { append("-") }
        var rest = number.magnitude
        var width = 1
        var limit: UInt64 = 10
        while rest >= limit {
            width += 1
            limit *= 10
        }
        // From the last digit to the first; division is fast only by constants.
        var position = count + width
        repeat {
            position -= 1
            space[position] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest > 0
        count += width
    }

    @_lifetime(self: copy self)
    private mutating func store(_ word: UInt64, at position: Int) {
        // storeBytes checks that the bytes are written within the memory's bounds.
        var bytes = unsafe space.mutableBytes
        bytes.storeBytes(of: word.littleEndian, toByteOffset: position, as: UInt64.self)
    }
}
