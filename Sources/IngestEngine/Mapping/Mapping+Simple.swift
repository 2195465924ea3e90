import PGWire

extension Mapping {
    /// The mapping of one topic to one table by the names of fields and columns, for programs without a mapping file.
    ///
    /// - Parameters:
    ///   - topic: A topic's name, or a regular expression.
    ///   - table: `TABLE` or `SCHEMA.TABLE`, as a mapping file writes it.
    /// - Throws: `BindingError` whose place is the option `--topic` or `--table`.
    public init(topic: String, table: String) throws(BindingError) {
        let selector: TopicSelector
        do throws(TopicSelectorError) {
            selector = try TopicSelector(topic)
        } catch {
            throw BindingError(error.message, file: "--topic", line: 0)
        }
        guard let name = TableName(parsing: table) else {
            throw BindingError(
                "\"\(table)\" is not a table's name; write SCHEMA.TABLE, and quotes around a name that has a dot",
                file: "--table", line: 0)
        }
        self.init(routes: [Route(topic: selector, table: name)])
    }
}
