/// The destination of a COPY.
public struct CopyTarget: Sendable, Hashable {
    public let table: TableName
    /// The columns in the order of the rows' values.
    public let columns: [String]

    public init(table: TableName, columns: [String]) {
        self.table = table
        self.columns = columns
    }
}
