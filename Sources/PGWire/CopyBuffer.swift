/// Rows in the format of `COPY … FROM STDIN (FORMAT binary)`, ready to be sent.
///
/// A row is opened with ``beginRow(columns:reserving:)`` and followed by one append for each of its columns, in the
/// table's order; the type of the append has to be the column's type, since the server doesn't convert binary
/// values. Values are written straight into one block of memory, which grows as needed and is kept for the next
/// rows by ``removeAll(keepingCapacity:)``: no object is made for a value or a row.
///
/// The buffer has exactly one owner. It moves from one task to another (encode here, send there, take it back),
/// and nothing else can see its memory meanwhile. The header and trailer of the format aren't in it, so one COPY
/// can take several buffers.
///
/// A row that turns out wrong half way is taken back:
///
///     let mark = buffer.mark()
///     do { try encode(record, into: &buffer) } catch { buffer.rollback(to: mark) }
///
/// Source: PostgreSQL manual, "COPY", section "Binary Format".
@frozen
@safe public struct CopyBuffer: ~Copyable {
    /// Memory of `capacity` bytes, of which the first `writtenBytes` are written; the buffer alone owns it.
    @usableFromInline var storage: UnsafeMutableRawPointer
    @usableFromInline var capacity: Int
    @usableFromInline var writtenBytes = 0
    @usableFromInline var begunRows = 0
    /// How many values the open row still lacks; below zero where it has too many.
    @usableFromInline var missingColumns = 0
    /// What makes the rows unfit to be sent; the first reason stays until the row is taken back.
    @usableFromInline var fault: Fault?

    /// A mistake in the use of the buffer, which ``CopyWriter`` reports instead of sending the rows.
    @frozen @usableFromInline
    enum Fault: Sendable {
        case columnCount, fieldTooLong, foreignMark, rowSize
    }

    /// The most bytes that one value can have (1 GB less 1, the server's limit for any field).
    @inlinable public static var maximumFieldSize: Int { 0x3fff_ffff }

    /// - Parameter minimumCapacity: Bytes that fit before the buffer grows for the first time.
    public init(minimumCapacity: Int = 0) {
        capacity = max(minimumCapacity, 0)
        unsafe storage = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit {
        unsafe storage.deallocate()
    }

    /// The size of all rows in bytes.
    @inlinable
    public var byteCount: Int { writtenBytes }

    /// The number of rows begun.
    @inlinable
    public var rowCount: Int { begunRows }

    /// Whether there is no row.
    @inlinable
    public var isEmpty: Bool { writtenBytes == 0 }

    /// Whether the last row begun has fewer or more values than it was announced with.
    @inlinable
    public var hasOpenRow: Bool { missingColumns != 0 }

    /// The rows as they go to the server, without header and trailer.
    @inlinable
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        get {
            let buffer = unsafe UnsafeRawBufferPointer(start: storage, count: byteCount)
            // The span can't outlive the borrow, during which the memory neither moves nor changes.
            return unsafe _overrideLifetime(buffer.bytes, borrowing: self)
        }
    }

    // MARK: Room

    /// Makes room for `count` bytes more, so that appends of as many in total don't move the memory.
    ///
    /// - Parameter count: Zero or less changes nothing. More than the memory there is ends the program.
    @inlinable
    public mutating func reserve(_ count: Int) {
        if capacity &- writtenBytes < count { grow(by: count) }
    }

    @usableFromInline @inline(never)
    mutating func grow(by count: Int) {
        // Both operands are sizes; a sum beyond `Int.max` traps, since no such memory exists.
        let grown = max(writtenBytes + count, capacity * 2, 256)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: grown, alignment: 16)
        unsafe larger.copyMemory(from: storage, byteCount: writtenBytes)
        unsafe storage.deallocate()
        unsafe storage = larger
        capacity = grown
    }

    /// Forgets all rows, and every fault with them.
    ///
    /// - Parameter keepingCapacity: Whether the memory stays for the next rows.
    public mutating func removeAll(keepingCapacity: Bool = true) {
        writtenBytes = 0
        begunRows = 0
        missingColumns = 0
        fault = nil
        guard !keepingCapacity, capacity > 0 else { return }
        unsafe storage.deallocate()
        unsafe storage = .allocate(byteCount: 0, alignment: 16)
        capacity = 0
    }
}

// The memory has one owner, and a value that can't be copied is used by one task at a time.
extension CopyBuffer: @unchecked Sendable {}

// MARK: - Rows

extension CopyBuffer {
    /// Opens a row; as many appends have to follow as it has columns.
    ///
    /// - Parameters:
    ///   - columns: The number of values, at most 1,600 (the server's limit for a table).
    ///   - reserving: Bytes to make room for at once, if the size of the row is known: 4 for each value's length and
    ///     the value itself. A negative size, or one above ``maximumFieldSize``, makes the rows unfit to be sent.
    @inlinable
    public mutating func beginRow(columns: Int, reserving: Int = 0) {
        if missingColumns != 0 || columns < 0 || columns > 1600 { noteFault(.columnCount) }
        let isPossible = Self.isPossible(rowSize: reserving)
        if !isPossible { noteFault(.rowSize) }
        reserve(2 &+ (isPossible ? reserving : 0))
        store(Int16(truncatingIfNeeded: columns))
        missingColumns = columns
        begunRows &+= 1
    }

    /// Appends a whole row of a size that is known beforehand.
    ///
    /// - Parameters:
    ///   - columns: The number of values.
    ///   - byteCount: Bytes of all values with their lengths, as the appends of ``FixedRow`` tell them; `body` has to
    ///     fill them to the last one. At most ``maximumFieldSize``.
    ///   - body: Appends the values. Where it throws, the row is taken back. Not called for an impossible size, which
    ///     makes the rows unfit to be sent.
    @inlinable
    public mutating func appendFixedRow<E: Error>(
        columns: Int, byteCount fieldBytes: Int, _ body: (inout FixedRow) throws(E) -> Void
    ) throws(E) {
        guard Self.isPossible(rowSize: fieldBytes) else { return noteFault(.rowSize) }
        let mark = mark()
        beginRow(columns: columns, reserving: fieldBytes)
        // The memory was just reserved, and the buffer is held exclusively until `finalize` gives it back.
        let room = unsafe UnsafeMutableRawBufferPointer(start: storage + writtenBytes, count: fieldBytes)
        var row = unsafe FixedRow(OutputRawSpan(buffer: room, initializedCount: 0))
        do throws(E) {
            try body(&row)
        } catch {
            rollback(to: mark)
            throw error
        }
        let written = unsafe row.fields.finalize(for: room)
        writtenBytes &+= written
        missingColumns = 0
        if written != fieldBytes { noteFault(.columnCount) }
    }

    /// Whether a row can have so many bytes: a size outside this range could not be reserved.
    @inlinable
    static func isPossible(rowSize: Int) -> Bool { rowSize >= 0 && rowSize <= maximumFieldSize }

    /// A position between two rows (or two values) to go back to.
    @frozen
    public struct Mark: Sendable {
        @usableFromInline let byteCount: Int
        @usableFromInline let rowCount: Int
        @usableFromInline let missingColumns: Int
        @usableFromInline let fault: Fault?

        @inlinable
        init(byteCount: Int, rowCount: Int, missingColumns: Int, fault: Fault?) {
            self.byteCount = byteCount
            self.rowCount = rowCount
            self.missingColumns = missingColumns
            self.fault = fault
        }
    }

    /// The position behind what was appended last.
    @inlinable
    public func mark() -> Mark {
        Mark(byteCount: byteCount, rowCount: rowCount, missingColumns: missingColumns, fault: fault)
    }

    /// Takes back what was appended since `mark` was made, which has to come from this buffer and its present rows.
    @inlinable
    public mutating func rollback(to mark: Mark) {
        guard mark.byteCount <= writtenBytes else { return noteFault(.foreignMark) }
        writtenBytes = mark.byteCount
        begunRows = mark.rowCount
        missingColumns = mark.missingColumns
        fault = mark.fault
    }

    /// Moves the rows between two marks right behind an earlier mark, over what is between. To remove rows, move each part
    /// that is to stay, the first one first, and then ``rollback(to:)`` the last mark that this returned.
    ///
    /// - Parameters:
    ///   - start: Made between two rows of this buffer's present rows.
    ///   - end: The same, not before `start`.
    ///   - target: Where the rows go, not behind `start`.
    /// - Returns: The mark behind the moved rows. Marks within the rows that were moved over are not valid any more.
    public mutating func moveRows(from start: Mark, to end: Mark, behind target: Mark) -> Mark {
        guard target.byteCount <= start.byteCount, start.byteCount <= end.byteCount, end.byteCount <= writtenBytes,
            start.missingColumns == 0, end.missingColumns == 0, target.missingColumns == 0
        else {
            noteFault(.foreignMark)
            return mark()
        }
        let count = end.byteCount - start.byteCount
        // Both places are within the written bytes, as was just checked. They may overlap.
        unsafe (storage + target.byteCount).copyMemory(from: storage + start.byteCount, byteCount: count)
        return Mark(
            byteCount: target.byteCount + count, rowCount: target.rowCount + end.rowCount - start.rowCount,
            missingColumns: 0, fault: end.fault)
    }

    @usableFromInline @inline(never)
    mutating func noteFault(_ reason: Fault) {
        if fault == nil { fault = reason }
    }

    /// Why the rows can't be sent, or nil where they can.
    var faultDescription: String? {
        switch fault {
        case .columnCount: "a row has more or fewer values than it was begun with"
        case .fieldTooLong: "a value is longer than \(CopyBuffer.maximumFieldSize) bytes"
        case .foreignMark: "rows were taken back to a mark of another buffer"
        case .rowSize: "a row was begun with a size that no row can have"
        case nil: hasOpenRow ? "the last row has more or fewer values than it was begun with" : nil
        }
    }

    // MARK: Raw stores

    /// Stores a value in network byte order where room was already made.
    @inlinable
    mutating func store<T: FixedWidthInteger & BitwiseCopyable>(_ value: T) {
        // Every caller reserves the bytes that it stores.
        unsafe storage.storeBytes(of: value.bigEndian, toByteOffset: writtenBytes, as: T.self)
        writtenBytes &+= MemoryLayout<T>.size
    }
}
