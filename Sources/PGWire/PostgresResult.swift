/// What a statement gave.
public struct PostgresResult: Sendable {
    /// The names of the columns; none for a statement that gives no rows.
    public let columns: [String]
    public let rows: [PostgresRow]
    /// How many rows were inserted, updated, deleted, copied or selected; nil for other statements.
    public let affectedRows: Int?

    /// The only row of a statement that has to give one.
    public var onlyRow: PostgresRow {
        get throws(PostgresError) {
            guard rows.count == 1 else {
                throw PostgresError(.usage, "The statement gave \(rows.count) rows where exactly one was expected")
            }
            return rows[0]
        }
    }
}

/// A row in the server's text form.
public struct PostgresRow: Sendable {
    let columns: [String]
    /// The values in the order of the columns, nil for null.
    public let values: [String?]

    /// The value of a column, counted from 0; nil for null and where there is no such column.
    public subscript(column: Int) -> String? {
        values.indices.contains(column) ? values[column] : nil
    }

    /// The value of the first column of this name; nil for null and where there is no such column.
    public subscript(name: String) -> String? {
        columns.firstIndex(of: name).flatMap { values[$0] }
    }

    /// The value of a column as a type; null, and text that isn't such a value, are errors.
    public func decode<Value: PostgresDecodable>(
        _ column: Int, as type: Value.Type = Value.self
    ) throws(PostgresError) -> Value {
        guard let value = try decodeIfPresent(column, as: type) else {
            throw PostgresError(.usage, "Column \(column) is null where a value was expected")
        }
        return value
    }

    /// The value of a column as a type; nil for null. Text that isn't such a value is an error.
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

    /// The value of a named column as a type; null, and text that isn't such a value, are errors.
    public func decode<Value: PostgresDecodable>(
        _ name: String, as type: Value.Type = Value.self
    ) throws(PostgresError) -> Value {
        try decode(try index(of: name), as: type)
    }

    /// The value of a named column as a type; nil for null.
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

/// A type that a value in the server's text form can be read as.
public protocol PostgresDecodable: Sendable {
    /// - Parameter text: The value as the server writes it.
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
