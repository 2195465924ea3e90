import CPQ

/// Sends rows while a COPY is open. It exists only within the closure that receives it.
@safe public struct CopyWriter: ~Copyable {
    /// The bytes per call of libpq, which copies them and sends whole blocks of 8 KiB at once. Beyond 32 KiB the CPU
    /// time of a large COPY no longer decreases.
    static let pieceSize = 32 << 10

    private let connection: OpaquePointer
    private let cancellation: StatementCancellation
    /// Whether libpq accepts no more data. The server's reason is in the results.
    private(set) var hasFailed = false
    /// The number of rows passed to libpq.
    public private(set) var rowCount = 0
    /// The number of bytes passed to libpq.
    public private(set) var byteCount = 0

    @unsafe init(_ connection: OpaquePointer, _ cancellation: StatementCancellation) {
        unsafe self.connection = unsafe connection
        self.cancellation = cancellation
    }

    /// Sends all rows of a buffer and leaves it unchanged.
    ///
    /// - Throws: A usage error for an incomplete row; cancellation; or the failure of the connection or COPY. After
    ///   any error the closure should return, since the COPY has failed.
    public mutating func write(_ buffer: borrowing CopyBuffer) throws(PostgresError) {
        if let fault = buffer.faultDescription {
            throw PostgresError(.usage, "The rows can't be sent: \(fault)")
        }
        try put(buffer.bytes)
        rowCount += buffer.rowCount
        byteCount += buffer.byteCount
    }

    /// Sends some rows of a buffer and leaves it unchanged.
    ///
    /// - Parameters:
    ///   - rows: The indices of the rows.
    ///   - index: The index of this buffer, made after its last row was appended.
    /// - Throws: As ``write(_:)``; a usage error if the index doesn't match the rows.
    mutating func write(
        _ buffer: borrowing CopyBuffer, rows: Range<Int>, of index: borrowing CopyRowIndex
    ) throws(PostgresError) {
        if let fault = buffer.faultDescription { throw PostgresError(.usage, "The rows can't be sent: \(fault)") }
        guard let range = index.bytes(of: rows), range.upperBound <= buffer.byteCount else {
            throw PostgresError(.usage, "The rows \(rows) can't be sent: the index has \(index.rowCount) rows")
        }
        try put(buffer.bytes.extracting(range))
        rowCount += rows.count
        byteCount += range.count
    }

    /// Sends the header: eleven fixed bytes, no flags, no extension.
    mutating func putHeader() throws(PostgresError) {
        let header: [UInt8] = Array("PGCOPY\n".utf8) + [0xff, 0x0d, 0x0a, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        try put(unsafe header.span.bytes)
    }

    /// Sends the trailer: a row with -1 columns.
    mutating func putTrailer() throws(PostgresError) {
        let trailer: [UInt8] = [0xff, 0xff]
        try put(unsafe trailer.span.bytes)
    }

    private mutating func put(_ bytes: RawSpan) throws(PostgresError) {
        var rest = bytes
        while !rest.isEmpty {
            guard !hasFailed else { throw PostgresError(.server, "the COPY has failed already") }
            if cancellation.isRequested { throw PostgresError(.cancelled, "its rows weren't all sent") }
            let piece = rest.extracting(first: Self.pieceSize)
            let status = unsafe piece.withUnsafeBytes { unsafe libpqPut($0) }
            guard status == 1 else {
                hasFailed = true
                throw PostgresError(.server, "libpq accepts no more rows")
            }
            rest = rest.extracting(droppingFirst: Self.pieceSize)
        }
    }

    private func libpqPut(_ bytes: UnsafeRawBufferPointer) -> Int32 {
        // libpq only reads the bytes, and only until it returns.
        let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
        return unsafe PQputCopyData(connection, start, Int32(truncatingIfNeeded: bytes.count))
    }
}

extension LibpqConnection {
    /// Runs a whole COPY. It has succeeded if this returns, and failed if this throws.
    ///
    /// - Parameter prelude: Statements to run first in the same round trip; empty for none.
    func copy<T>(
        into table: TableName, columns: [String], prelude: String = "", _ body: (inout CopyWriter) throws -> T
    ) throws -> (value: T, rows: Int) {
        let statement = try copyStatement(table, columns)
        try send(prelude.isEmpty ? statement : "\(prelude); \(statement)")
        var drained = Drained()
        try drain(untilCopy: true, &drained)
        guard drained.awaitsRows else { throw Self.noCopy }
        let (value, written) = try sendRows(body)
        let result = try drain()
        return (value, result.affectedRows ?? written)
    }

    static let noCopy = PostgresError(.protocolViolation, "the COPY ended before its rows were sent")

    /// Sends the rows of the COPY for which the server is waiting, and their end.
    ///
    /// If this returns, the COPY's result hasn't been read yet. If it throws, all results have been read and the COPY
    /// has failed, since the server didn't receive the end of the rows.
    func sendRows<T>(_ body: (inout CopyWriter) throws -> T) throws -> (value: T, rows: Int) {
        let connection = unsafe try pointer ?? ready()
        var writer = unsafe CopyWriter(connection, cancellation)
        let value: T
        do {
            try writer.putHeader()
            value = try body(&writer)
            try writer.putTrailer()
        } catch {
            // The server replies with an error about the reason given here. It matters only if the server's error came
            // first and made the writer fail.
            if unsafe PQputCopyEnd(connection, "the client cancelled the copy") != 1 {
                _ = unsafe failure(of: connection)
            }
            let serverError = drainedError()
            if let serverError, serverError.isConnectionLoss || writer.hasFailed, error is PostgresError {
                throw serverError
            }
            throw error
        }
        if unsafe PQputCopyEnd(connection, nil) != 1 { _ = unsafe failure(of: connection) }
        return (value, writer.rowCount)
    }

    private func drainedError() -> PostgresError? {
        do throws(PostgresError) {
            _ = try drain()
            return nil
        } catch {
            return error
        }
    }

    func copyStatement(_ table: TableName, _ columns: [String]) throws(PostgresError) -> String {
        guard !columns.isEmpty else { throw PostgresError(.usage, "COPY into \(table.table) names no column") }
        var names: [String] = []
        for column in columns { names.append(try quoted(column)) }
        var target = try quoted(table.table)
        if let schema = table.schema { target = "\(try quoted(schema)).\(target)" }
        return "COPY \(target) (\(names.joined(separator: ", "))) FROM STDIN (FORMAT binary)"
    }
}
