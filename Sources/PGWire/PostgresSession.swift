/// The inside of a transaction: calls that block, on the connection's own thread.
///
/// It can't leave the closure that it is handed to, and does one thing at a time.
public struct PostgresSession: ~Copyable {
    private let libpq: LibpqConnection
    /// The result of the last statement that was sent together with BEGIN.
    public let preludeResult: PostgresResult

    init(_ libpq: LibpqConnection, preludeResult: PostgresResult) {
        self.libpq = libpq
        self.preludeResult = preludeResult
    }

    /// Runs one or several statements without parameters; the result is that of the last one.
    @discardableResult
    public mutating func execute(_ sql: String) throws(PostgresError) -> PostgresResult {
        try libpq.execute(sql)
    }

    /// Runs one statement with parameters `$1`, `$2` and so on.
    @discardableResult
    public mutating func query(
        _ sql: String, parameters: [PostgresValue] = []
    ) throws(PostgresError) -> PostgresResult {
        try libpq.query(sql, parameters)
    }

    /// Copies the rows of a buffer into a table.
    ///
    /// - Parameters:
    ///   - columns: The columns in the order of the rows' values.
    ///   - prelude: Statements to run before the COPY, in the same round trip; empty for none.
    /// - Returns: How many rows the server counts.
    @discardableResult
    public mutating func copy(
        into table: TableName, columns: [String], from buffer: borrowing CopyBuffer, prelude: String = ""
    ) throws(PostgresError) -> Int {
        // A closure can't capture a borrowed buffer that may end before it; this one is called at once.
        do {
            return try libpq.copy(into: table, columns: columns, prelude: prelude) { try $0.write(buffer) }.rows
        } catch let error as PostgresError {
            throw error
        } catch {
            throw PostgresError(.usage, "The rows can't be sent: \(error)")
        }
    }

    /// Copies some of a buffer's rows into a table.
    ///
    /// - Parameters:
    ///   - columns: The columns in the order of the rows' values.
    ///   - rows: Which rows, counted from 0.
    ///   - index: The index of this buffer, made after its last row was appended.
    ///   - prelude: Statements to run before the COPY, in the same round trip; empty for none.
    /// - Returns: How many rows the server counts.
    @discardableResult
    public mutating func copy(
        into table: TableName, columns: [String], from buffer: borrowing CopyBuffer, rows: Range<Int>,
        of index: CopyRowIndex, prelude: String = ""
    ) throws(PostgresError) -> Int {
        do {
            return try libpq.copy(into: table, columns: columns, prelude: prelude) {
                try $0.write(buffer, rows: rows, of: index)
            }.rows
        } catch let error as PostgresError {
            throw error
        } catch {
            throw PostgresError(.usage, "The rows can't be sent: \(error)")
        }
    }

    /// Copies the rows that the closure writes into a table.
    ///
    /// The COPY is done when this returns and failed when it throws. Where the closure throws, the server forgets
    /// the rows (and the transaction can only be rolled back) and the closure's error comes out; a lost connection
    /// comes out instead of the error that the writer threw about it.
    ///
    /// - Parameter columns: The columns in the order of the rows' values.
    /// - Returns: What the closure returns, and how many rows the server counts.
    @discardableResult
    public mutating func copy<T>(
        into table: TableName, columns: [String], _ body: (inout CopyWriter) throws -> T
    ) throws -> (value: T, rows: Int) {
        try libpq.copy(into: table, columns: columns, body)
    }

    /// An identifier in quotes, for a statement that is put together.
    public mutating func quoted(_ identifier: String) throws(PostgresError) -> String {
        try libpq.quoted(identifier)
    }

    /// A text as a string constant of SQL, quotes included, for a statement that cannot have parameters.
    public mutating func literal(_ text: String) throws(PostgresError) -> String {
        try libpq.literal(text)
    }
}
