/// A table's name as it stands in the catalogue: unquoted, with its case.
public struct TableName: Sendable, Hashable {
    /// The schema; nil to look for the table along the search path.
    public let schema: String?
    public let table: String

    public init(schema: String? = nil, table: String) {
        self.schema = schema
        self.table = table
    }
}
