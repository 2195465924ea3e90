import PGWire

/// Rows of one table that the server parses from JSON text, collected until the batch is written.
public struct ServerRows: Sendable {
    /// Settings for the transaction that inserts the rows, since they decide what a text means. A `timestamptz`
    /// without an offset is UTC, and `01/02/2024` is January 2nd.
    public static let settings =
        "SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, MDY'; SET LOCAL IntervalStyle = 'postgres'"

    /// Resets the settings, so that triggers and defaults of the transaction's other rows see the session's own.
    public static let resetSettings =
        "SET LOCAL TimeZone TO DEFAULT; SET LOCAL DateStyle TO DEFAULT; SET LOCAL IntervalStyle TO DEFAULT"

    public let table: TableName
    /// The inserted columns; the database fills the others.
    public let columns: [String]
    /// The rows' JSON objects, each followed by a comma.
    private var json: [UInt8] = []
    /// The end of each row, including its comma.
    private var ends: [Int] = []

    public init(table: TableName, columns: [String]) {
        self.table = table
        self.columns = columns
    }

    public var count: Int { ends.count }
    public var isEmpty: Bool { ends.isEmpty }
    /// The size of the rows' JSON text in bytes.
    public var byteCount: Int { json.count }

    /// Adds a row from ``EncodedRow/server(_:)``.
    public mutating func append(_ row: [UInt8]) {
        json += row
        json.append(UInt8(ascii: ","))
        ends.append(json.count)
    }

    public mutating func removeAll() {
        json.removeAll(keepingCapacity: json.capacity < 1 << 20)
        ends.removeAll(keepingCapacity: true)
    }

    /// Removes the last rows.
    mutating func removeLast(_ rows: Int) {
        guard rows > 0 else { return }
        ends.removeLast(min(rows, ends.count))
        json.removeSubrange((ends.last ?? 0)...)
    }

    /// Keeps only these rows.
    ///
    /// - Parameter parts: Ascending ranges of row indices.
    mutating func keep(_ parts: [Range<Int>]) {
        var (kept, keptEnds): ([UInt8], [Int]) = ([], [])
        for rows in parts where !rows.isEmpty && rows.upperBound <= ends.count {
            var start = rows.lowerBound == 0 ? 0 : ends[rows.lowerBound - 1]
            for end in ends[rows] {
                kept += json[start..<end]
                keptEnds.append(kept.count)
                start = end
            }
        }
        (json, ends) = (kept, keptEnds)
    }

    /// The SELECT that turns `$1` into rows with the columns in order, for an INSERT with a conflict clause of its
    /// own.
    ///
    /// - Throws: `PostgresError` if a name can't be quoted.
    public func selection(in session: inout PostgresSession) throws(PostgresError) -> String {
        "SELECT \(try names(in: &session)) FROM json_populate_recordset(null::\(try target(in: &session)), $1::json)"
    }

    /// The parameter for ``selection(in:)``.
    public var parameter: PostgresValue { parameter(of: 0..<count) }

    private func parameter(of rows: Range<Int>) -> PostgresValue {
        guard !rows.isEmpty else { return .text("[]") }
        let start = rows.lowerBound == 0 ? 0 : ends[rows.lowerBound - 1]
        // Omits the last comma.
        return .text("[" + String(decoding: json[start..<ends[rows.upperBound - 1] - 1], as: UTF8.self) + "]")
    }

    /// Inserts all rows or none, in the session's transaction. Run ``settings`` first.
    ///
    /// - Returns: The number of inserted rows that the server reports.
    @discardableResult
    public func insert(in session: inout PostgresSession) throws(PostgresError) -> Int {
        try insert(0..<count, in: &session)
    }

    /// Inserts some of the rows, all or none of them.
    ///
    /// - Parameter rows: The indices of the rows.
    func insert(_ rows: Range<Int>, in session: inout PostgresSession) throws(PostgresError) -> Int {
        guard !rows.isEmpty else { return 0 }
        let statement =
            "INSERT INTO \(try target(in: &session)) (\(try names(in: &session))) \(try selection(in: &session))"
        return try session.query(statement, parameters: [parameter(of: rows)]).affectedRows ?? 0
    }

    private func target(in session: inout PostgresSession) throws(PostgresError) -> String {
        let name = try session.quoted(table.table)
        guard let schema = table.schema else { return name }
        return "\(try session.quoted(schema)).\(name)"
    }

    private func names(in session: inout PostgresSession) throws(PostgresError) -> String {
        var names: [String] = []
        for column in columns { names.append(try session.quoted(column)) }
        return names.joined(separator: ", ")
    }
}
