/// The result of a statement.
public struct PostgresResult: Sendable {
    /// The names of the columns; empty for a statement without rows.
    public let columns: [String]
    public let rows: [PostgresRow]
    /// The number of rows inserted, updated, deleted, copied or selected; nil for other statements.
    public let affectedRows: Int?

    /// The row of a statement that must return exactly one.
    public var onlyRow: PostgresRow {
        get throws(PostgresError) {
            guard rows.count == 1 else {
                throw PostgresError(.usage, "The statement returned \(rows.count) rows instead of exactly one")
            }
            return rows[0]
        }
    }
}

/// A row in the server's text format.
public struct PostgresRow: Sendable {
    let columns: [String]
    /// The values in column order; nil for null.
    public let values: [String?]

    /// The value of a column by index; nil for null and if there is no such column.
    public subscript(column: Int) -> String? {
        values.indices.contains(column) ? values[column] : nil
    }

    /// The value of the first column with this name; nil for null and if there is no such column.
    public subscript(name: String) -> String? {
        columns.firstIndex(of: name).flatMap { values[$0] }
    }

    /// Decodes the value of a column.
    ///
    /// - Throws: `PostgresError` for null, and for text that isn't a value of the type.
    public func decode<Value: PostgresDecodable>(
        _ column: Int, as type: Value.Type = Value.self
    ) throws(PostgresError) -> Value {
        guard let value = try decodeIfPresent(column, as: type) else {
            throw PostgresError(.usage, "Column \(column) is null although a value was expected")
        }
        return value
    }

    /// Decodes the value of a column; nil for null.
    ///
    /// - Throws: `PostgresError` for text that isn't a value of the type.
    public func decodeIfPresent<Value: PostgresDecodable>(
        _ column: Int, as type: Value.Type = Value.self
    ) throws(PostgresError) -> Value? {
        guard values.indices.contains(column) else {
            throw PostgresError(.usage, "There is no column \(column): the row has \(values.count)")
        }
        guard let text = values[column] else { return nil }
        guard let value = Value(postgresText: text) else {
            throw PostgresError(.usage, "The value of column \(column) isn't of type \(type)")
        }
        return value
    }

    /// Decodes the value of a named column.
    ///
    /// - Throws: `PostgresError` for null, and for text that isn't a value of the type.
    public func decode<Value: PostgresDecodable>(
        _ name: String, as type: Value.Type = Value.self
    ) throws(PostgresError) -> Value {
        try decode(try index(of: name), as: type)
    }

    /// Decodes the value of a named column; nil for null.
    public func decodeIfPresent<Value: PostgresDecodable>(
        _ name: String, as type: Value.Type = Value.self
    ) throws(PostgresError) -> Value? {
        try decodeIfPresent(try index(of: name), as: type)
    }

    private func index(of name: String) throws(PostgresError) -> Int {
        if let index = columns.firstIndex(of: name) { return index }
        throw PostgresError(.usage, "There is no column \"\(name)\" in the result")
    }
}

/// A type that can be decoded from the server's text format.
public protocol PostgresDecodable: Sendable {
    /// - Parameter text: The value in the server's text format.
    init?(postgresText text: String)
}

extension String: PostgresDecodable {
    public init?(postgresText text: String) { self = text }
}

extension PostgresDecodable where Self: FixedWidthInteger {
    public init?(postgresText text: String) { self.init(text) }
}

extension Int: PostgresDecodable {}
extension Int64: PostgresDecodable {}
extension Int32: PostgresDecodable {}
extension Int16: PostgresDecodable {}

extension Double: PostgresDecodable {
    public init?(postgresText text: String) { self.init(text) }
}

extension Bool: PostgresDecodable {
    public init?(postgresText text: String) {
        switch text {
        case "t": self = true
        case "f": self = false
        default: return nil
        }
    }
}
