/// Rows in the format of `COPY … FROM STDIN (FORMAT binary)`, ready to be sent.
///
/// Each row starts with ``beginRow(columns:reserving:)``, followed by one append per column, in order. The append's
/// type must be the column's type, since the server doesn't convert binary values. Values are written directly into
/// one block of memory, which grows as needed and is reused after ``removeAll(keepingCapacity:)``; no object is
/// allocated per value or row.
///
/// The buffer has exactly one owner. It moves between tasks (encode here, send there, return), and nothing else can
/// access its memory meanwhile. It doesn't contain the header and trailer of the format, so one COPY can send several
/// buffers.
///
/// A row that fails midway can be rolled back:
///
///     let mark = buffer.mark()
///     do { try encode(record, into: &buffer) } catch { buffer.rollback(to: mark) }
///
/// Source: PostgreSQL manual, "COPY", section "Binary Format".
@frozen
@safe public struct CopyBuffer: ~Copyable {
    /// `capacity` bytes, the first `writtenBytes` of which are initialized; owned by the buffer alone.
    @usableFromInline var storage: UnsafeMutableRawPointer
    @usableFromInline var capacity: Int
    @usableFromInline var writtenBytes = 0
    @usableFromInline var begunRows = 0
    /// The number of values that the open row still lacks; negative if it has too many.
    @usableFromInline var missingColumns = 0
    /// The first reason why the rows can't be sent; nil if there is none. Rolling back the row clears it.
    @usableFromInline var fault: Fault?

    /// A misuse of the buffer, which ``CopyWriter`` reports instead of sending the rows.
    @frozen @usableFromInline
    enum Fault: Sendable {
        case columnCount, fieldTooLong, foreignMark, rowSize
    }

    /// The largest value in bytes (1 GB minus 1, the server's limit for any field).
    @inlinable public static var maximumFieldSize: Int { 0x3fff_ffff }

    /// - Parameter minimumCapacity: The number of bytes that fit before the buffer has to grow.
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

    /// The number of rows, including an open one.
    @inlinable
    public var rowCount: Int { begunRows }

    /// Whether there are no rows.
    @inlinable
    public var isEmpty: Bool { writtenBytes == 0 }

    /// Whether the last row has fewer or more values than ``beginRow(columns:reserving:)`` announced.
    @inlinable
    public var hasOpenRow: Bool { missingColumns != 0 }

    /// The rows as sent to the server, without header and trailer.
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

    /// Makes room for `count` more bytes, so that appending them doesn't move the memory.
    ///
    /// - Parameter count: The number of bytes; zero or less changes nothing. If there isn't enough memory the program
    ///   traps.
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

    /// Removes all rows and clears all faults.
    ///
    /// - Parameter keepingCapacity: Whether to keep the memory for further rows.
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

// @unchecked: the memory has one owner, and a noncopyable value is used by one task at a time.
extension CopyBuffer: @unchecked Sendable {}

// MARK: - Rows

extension CopyBuffer {
    /// Opens a row; one append per column must follow.
    ///
    /// - Parameters:
    ///   - columns: The number of values, at most 1,600 (the server's limit for a table).
    ///   - reserving: The row's size in bytes, if known, to reserve at once: 4 for each value's length, plus the
    ///     value. If it is negative or above ``maximumFieldSize``, the rows can't be sent.
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

    /// Appends a row whose size is known in advance.
    ///
    /// - Parameters:
    ///   - columns: The number of values.
    ///   - byteCount: The exact size of all values with their lengths in bytes, as documented for the appends of
    ///     ``FixedRow``. At most ``maximumFieldSize``.
    ///   - body: Appends the values. If it throws, the row is rolled back. It isn't called for an impossible size,
    ///     after which the rows can't be sent.
    @inlinable
    public mutating func appendFixedRow<E: Error>(
        columns: Int, byteCount fieldBytes: Int, _ body: (inout FixedRow) throws(E) -> Void
    ) throws(E) {
        guard Self.isPossible(rowSize: fieldBytes) else { return noteFault(.rowSize) }
        let mark = mark()
        beginRow(columns: columns, reserving: fieldBytes)
        // The memory was just reserved, and the buffer is held exclusively until `finalize` returns it.
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

    /// Whether a row can have this size in bytes; no other size could be reserved.
    @inlinable
    static func isPossible(rowSize: Int) -> Bool { rowSize >= 0 && rowSize <= maximumFieldSize }

    /// A position between two rows (or two values), for rollbacks.
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

    /// The current end of the buffer.
    @inlinable
    public func mark() -> Mark {
        Mark(byteCount: byteCount, rowCount: rowCount, missingColumns: missingColumns, fault: fault)
    }

    /// Removes everything appended since a mark, which must come from this buffer and its current rows.
    @inlinable
    public mutating func rollback(to mark: Mark) {
        guard mark.byteCount <= writtenBytes else { return noteFault(.foreignMark) }
        writtenBytes = mark.byteCount
        begunRows = mark.rowCount
        missingColumns = mark.missingColumns
        fault = mark.fault
    }

    /// Moves the rows between two marks to an earlier mark, overwriting what is between. To remove rows, move each
    /// part that stays, first to last, and then call ``rollback(to:)`` with the last mark that this returned.
    ///
    /// - Parameters:
    ///   - start: A mark between two of this buffer's current rows.
    ///   - end: Another one, not before `start`.
    ///   - target: The new position of the rows, not after `start`.
    /// - Returns: The mark after the moved rows. Marks within the overwritten rows become invalid.
    public mutating func moveRows(from start: Mark, to end: Mark, behind target: Mark) -> Mark {
        guard target.byteCount <= start.byteCount, start.byteCount <= end.byteCount, end.byteCount <= writtenBytes,
            start.missingColumns == 0, end.missingColumns == 0, target.missingColumns == 0
        else {
            noteFault(.foreignMark)
            return mark()
        }
        let count = end.byteCount - start.byteCount
        // Both ranges are within the written bytes, as just checked. They may overlap.
        unsafe (storage + target.byteCount).copyMemory(from: storage + start.byteCount, byteCount: count)
        return Mark(
            byteCount: target.byteCount + count, rowCount: target.rowCount + end.rowCount - start.rowCount,
            missingColumns: 0, fault: end.fault)
    }

    @usableFromInline @inline(never)
    mutating func noteFault(_ reason: Fault) {
        if fault == nil { fault = reason }
    }

    /// The reason why the rows can't be sent; nil if they can.
    var faultDescription: String? {
        switch fault {
        case .columnCount: "a row has more or fewer values than it was begun with"
        case .fieldTooLong: "a value is longer than \(CopyBuffer.maximumFieldSize) bytes"
        case .foreignMark: "rows were rolled back to a mark of another buffer"
        case .rowSize: "a row was begun with an impossible size"
        case nil: hasOpenRow ? "the last row has more or fewer values than it was begun with" : nil
        }
    }

    // MARK: Raw stores

    /// Stores a value in network byte order. The caller has reserved the room.
    @inlinable
    mutating func store<T: FixedWidthInteger & BitwiseCopyable>(_ value: T) {
        // Every caller reserves the bytes that it stores.
        unsafe storage.storeBytes(of: value.bigEndian, toByteOffset: writtenBytes, as: T.self)
        writtenBytes &+= MemoryLayout<T>.size
    }
}
