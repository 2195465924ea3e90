import CPQ

/// Sends rows while a COPY is open; it exists only within the closure that it is handed to.
@safe public struct CopyWriter: ~Copyable {
    /// The size of a piece for libpq, which copies it and sends at once what fills whole blocks of 8 KiB. From 32 KiB
    /// on, the processor time of a large COPY no longer falls.
    static let pieceSize = 32 << 10

    private let connection: OpaquePointer
    private let cancellation: StatementCancellation
    /// Set where libpq takes no more: the server's reason is in the results.
    private(set) var hasFailed = false
    /// Rows handed over so far.
    public private(set) var rowCount = 0
    /// Bytes handed over so far.
    public private(set) var byteCount = 0

    @unsafe init(_ connection: OpaquePointer, _ cancellation: StatementCancellation) {
        unsafe self.connection = unsafe connection
        self.cancellation = cancellation
    }

    /// Sends the rows of a buffer, which stays as it is.
    ///
    /// - Throws: A usage error for a buffer with half a row, cancellation, or the end of the connection or COPY.
    ///   Whatever is thrown, the closure should end: the COPY has failed.
    public mutating func write(_ buffer: borrowing CopyBuffer) throws(PostgresError) {
        if let fault = buffer.faultDescription {
            throw PostgresError(.usage, "The rows can't be sent: \(fault)")
        }
        try put(buffer.bytes)
        rowCount += buffer.rowCount
        byteCount += buffer.byteCount
    }

    /// Sends some of a buffer's rows, which stays as it is.
    ///
    /// - Parameters:
    ///   - rows: Which rows, counted from 0.
    ///   - index: The index of this buffer, made after its last row was appended.
    /// - Throws: As ``write(_:)``; a usage error if the index is not of these rows.
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

    /// Eleven fixed bytes, no flags, no extension.
    mutating func putHeader() throws(PostgresError) {
        let header: [UInt8] = Array("PGCOPY\n".utf8) + [0xff, 0x0d, 0x0a, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        try put(unsafe header.span.bytes)
    }

    /// A row with -1 columns.
    mutating func putTrailer() throws(PostgresError) {
        let trailer: [UInt8] = [0xff, 0xff]
        try put(unsafe trailer.span.bytes)
    }

    private mutating func put(_ bytes: RawSpan) throws(PostgresError) {
        var rest = bytes
        while !rest.isEmpty {
            guard !hasFailed else { throw PostgresError(.server, "the COPY has failed already") }
            if cancellation.isRequested { throw PostgresError(.cancelled, "its rows aren't sent to the end") }
            let piece = rest.extracting(first: Self.pieceSize)
            let status = unsafe piece.withUnsafeBytes { unsafe libpqPut($0) }
            guard status == 1 else {
                hasFailed = true
                throw PostgresError(.server, "libpq takes no more rows")
            }
            rest = rest.extracting(droppingFirst: Self.pieceSize)
        }
    }

    private func libpqPut(_ bytes: UnsafeRawBufferPointer) -> Int32 {
        // libpq only reads the bytes, and not after it returns.
        let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
        return unsafe PQputCopyData(connection, start, Int32(truncatingIfNeeded: bytes.count))
    }
}

extension LibpqConnection {
    /// Runs a COPY from its first byte to its last result. It is done when this returns and failed when this throws.
    ///
    /// - Parameter prelude: Statements to run before it, in the same round trip; empty for none.
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

    /// Sends the rows of the COPY that the server waits for, and their end.
    ///
    /// If this returns, the COPY's result has not been taken yet. If it throws, all results have, and the server has not
    /// got the end of the rows: the COPY has failed.
    func sendRows<T>(_ body: (inout CopyWriter) throws -> T) throws -> (value: T, rows: Int) {
        let connection = unsafe try pointer ?? ready()
        var writer = unsafe CopyWriter(connection, cancellation)
        let value: T
        do {
            try writer.putHeader()
            value = try body(&writer)
            try writer.putTrailer()
        } catch {
            // The server answers with an error of its own, about the reason given here. It is of interest only where
            // it came first and made the writer fail.
            if unsafe PQputCopyEnd(connection, "the client has given up") != 1 { _ = unsafe failure(of: connection) }
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
