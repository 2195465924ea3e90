import PGWire

/// Rows of one table whose values the database reads from JSON text itself, collected until the batch is written.
public struct ServerRows: Sendable {
    /// The settings that decide what a text means, for the transaction that inserts the rows. A `timestamptz` without
    /// an offset is UTC, and `01/02/2024` is January 2nd.
    public static let settings =
        "SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, MDY'; SET LOCAL IntervalStyle = 'postgres'"

    /// Takes the settings back, so that triggers and defaults of the transaction's other rows have the session's own.
    public static let resetSettings =
        "SET LOCAL TimeZone TO DEFAULT; SET LOCAL DateStyle TO DEFAULT; SET LOCAL IntervalStyle TO DEFAULT"

    public let table: TableName
    /// The columns that the rows name; the database fills the others.
    public let columns: [String]
    /// The rows' JSON objects, each with a comma behind it.
    private var json: [UInt8] = []
    /// Where each row ends, comma included.
    private var ends: [Int] = []

    public init(table: TableName, columns: [String]) {
        self.table = table
        self.columns = columns
    }

    public var count: Int { ends.count }
    public var isEmpty: Bool { ends.isEmpty }
    /// The size of the rows' JSON text.
    public var byteCount: Int { json.count }

    /// Adds what the encoder returned as ``EncodedRow/server(_:)``.
    public mutating func append(_ row: [UInt8]) {
        json += row
        json.append(UInt8(ascii: ","))
        ends.append(json.count)
    }

    public mutating func removeAll() {
        json.removeAll(keepingCapacity: json.capacity < 1 << 20)
        ends.removeAll(keepingCapacity: true)
    }

    /// Takes the last rows back.
    mutating func removeLast(_ rows: Int) {
        guard rows > 0 else { return }
        ends.removeLast(min(rows, ends.count))
        json.removeSubrange((ends.last ?? 0)...)
    }

    /// Removes all rows but these, which are counted from 0 and ascend.
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

    /// The statement that selects the rows from `$1`, with the columns in their order: for an INSERT with a conflict
    /// clause of its own.
    ///
    /// - Throws: `PostgresError` for a name that can't be quoted.
    public func selection(in session: inout PostgresSession) throws(PostgresError) -> String {
        "SELECT \(try names(in: &session)) FROM json_populate_recordset(null::\(try target(in: &session)), $1::json)"
    }

    /// The parameter of ``selection(in:)``.
    public var parameter: PostgresValue { parameter(of: 0..<count) }

    private func parameter(of rows: Range<Int>) -> PostgresValue {
        guard !rows.isEmpty else { return .text("[]") }
        let start = rows.lowerBound == 0 ? 0 : ends[rows.lowerBound - 1]
        // Without the last comma.
        return .text("[" + String(decoding: json[start..<ends[rows.upperBound - 1] - 1], as: UTF8.self) + "]")
    }

    /// Inserts the rows, all or none, in the session's transaction. Run ``settings`` before.
    ///
    /// - Returns: The number of rows that the database counts.
    @discardableResult
    public func insert(in session: inout PostgresSession) throws(PostgresError) -> Int {
        try insert(0..<count, in: &session)
    }

    /// Inserts some of the rows, all or none of them.
    ///
    /// - Parameter rows: Which rows, counted from 0.
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
