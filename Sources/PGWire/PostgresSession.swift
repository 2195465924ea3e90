/// Operations within a transaction. They block, on the connection's own thread.
///
/// A session can't leave the closure that receives it, and runs one operation at a time.
public struct PostgresSession: ~Copyable {
    private let libpq: LibpqConnection
    /// The result of the last statement that was sent together with BEGIN.
    public let preludeResult: PostgresResult

    init(_ libpq: LibpqConnection, preludeResult: PostgresResult) {
        self.libpq = libpq
        self.preludeResult = preludeResult
    }

    /// Runs one or more statements without parameters, and returns the last one's result.
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
    ///   - prelude: Statements to run before the COPY in the same round trip; empty for none.
    /// - Returns: The server's row count.
    @discardableResult
    public mutating func copy(
        into table: TableName, columns: [String], from buffer: borrowing CopyBuffer, prelude: String = ""
    ) throws(PostgresError) -> Int {
        // A closure can't capture a borrowed buffer that it may outlive; this one is called at once.
        do {
            return try libpq.copy(into: table, columns: columns, prelude: prelude) { try $0.write(buffer) }.rows
        } catch let error as PostgresError {
            throw error
        } catch {
            throw PostgresError(.usage, "The rows can't be sent: \(error)")
        }
    }

    /// Copies some rows of a buffer into a table.
    ///
    /// - Parameters:
    ///   - columns: The columns in the order of the rows' values.
    ///   - rows: The indices of the rows.
    ///   - index: The index of this buffer, made after its last row was appended.
    ///   - prelude: Statements to run before the COPY in the same round trip; empty for none.
    /// - Returns: The server's row count.
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

    /// Copies the rows that a closure writes into a table.
    ///
    /// The COPY has succeeded if this returns, and failed if it throws. If the closure throws, the server discards the
    /// rows, the transaction can only be rolled back, and the closure's error is rethrown. After a connection loss
    /// that error is thrown instead of the writer's.
    ///
    /// - Parameter columns: The columns in the order of the rows' values.
    /// - Returns: The closure's value, and the server's row count.
    @discardableResult
    public mutating func copy<T>(
        into table: TableName, columns: [String], _ body: (inout CopyWriter) throws -> T
    ) throws -> (value: T, rows: Int) {
        try libpq.copy(into: table, columns: columns, body)
    }

    /// An identifier quoted for use in a statement.
    public mutating func quoted(_ identifier: String) throws(PostgresError) -> String {
        try libpq.quoted(identifier)
    }

    /// A text as an SQL string literal, including its quotes, for a statement that can't have parameters.
    public mutating func literal(_ text: String) throws(PostgresError) -> String {
        try libpq.literal(text)
    }
}
