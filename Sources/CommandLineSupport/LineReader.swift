import Foundation

/// Reads a text file line by line into one reused buffer, so that a file may have any size.
///
/// Reading may block, so don't use it on the threads of tasks.
public struct LineReader: ~Copyable {
    /// The longest line in bytes. Longer ones are refused, since the input should be text.
    private static let longestLine = 1 << 20

    public let path: String
    /// The number of the last line that was read, from 1; 0 before the first.
    public private(set) var lineNumber = 0
    private let descriptor: Int32
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)
    /// The part of the buffer that hasn't been returned yet.
    private var unread = 0..<0
    private var current = 0..<0
    private var isAtEnd = false

    /// - Throws: A failure with status `noInput` if the file can't be opened.
    public init(path: String) throws(Failure) {
        self.path = path
        descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 {
            throw Failure("\(ShownArgument.name(path)) can't be read: \(systemErrorText(errno))", status: .noInput)
        }
    }

    deinit { close(descriptor) }

    /// The last line that was read, without its line ending (LF or CR LF).
    public var line: Span<UInt8> {
        @_lifetime(borrow self)
        get { buffer.span.extracting(current) }
    }

    /// Reads the next line.
    ///
    /// - Returns: false at the end of the file.
    /// - Throws: A failure with status `ioError`, or `badData` for a line of more than 1 MiB.
    public mutating func next() throws(Failure) -> Bool {
        var searched = unread.lowerBound
        while true {
            if let end = buffer[searched..<unread.upperBound].firstIndex(of: UInt8(ascii: "\n")) {
                finishLine(at: end, next: end + 1)
                return true
            }
            searched = unread.upperBound
            if isAtEnd {
                if unread.isEmpty { return false }
                finishLine(at: unread.upperBound, next: unread.upperBound)
                return true
            }
            searched -= try fill()
        }
    }

    private mutating func finishLine(at end: Int, next: Int) {
        let hasReturn = end > unread.lowerBound && buffer[end - 1] == UInt8(ascii: "\r")
        current = unread.lowerBound..<(hasReturn ? end - 1 : end)
        unread = next..<unread.upperBound
        lineNumber += 1
    }

    /// Reads more bytes after the unread ones.
    ///
    /// - Returns: The distance by which the unread bytes moved towards the start of the buffer.
    private mutating func fill() throws(Failure) -> Int {
        let moved = unread.lowerBound
        if moved > 0 {
            buffer.replaceSubrange(0..<unread.count, with: buffer[unread])
            unread = 0..<unread.count
        }
        if unread.count == buffer.count {
            if buffer.count >= Self.longestLine {
                throw Failure(
                    "\(path), line \(lineNumber + 1) has more than \(Numbers.grouped(Self.longestLine)) bytes: "
                        + "this is not a text file", status: .badData)
            }
            buffer.append(contentsOf: repeatElement(0, count: buffer.count))
        }
        let begin = unread.upperBound
        let descriptor = descriptor
        let count = unsafe buffer.withUnsafeMutableBytes {
            // read(2) writes into the rest of the buffer only during the call.
            unsafe read(descriptor, $0.baseAddress?.advanced(by: begin), $0.count - begin)
        }
        if count < 0, errno != EINTR {
            let isFolder = errno == EISDIR
            throw Failure(
                "\(ShownArgument.name(path)) can't be read: \(systemErrorText(errno))",
                status: isFolder ? .noInput : .ioError)
        }
        if count == 0 { isAtEnd = true }
        unread = 0..<begin + max(0, count)
        return moved
    }
}
