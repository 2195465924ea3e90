/// A table's name as in the catalog: unquoted and case-sensitive.
public struct TableName: Sendable, Hashable {
    /// The schema; nil to search along `search_path`.
    public let schema: String?
    public let table: String

    public init(schema: String? = nil, table: String) {
        self.schema = schema
        self.table = table
    }
}
