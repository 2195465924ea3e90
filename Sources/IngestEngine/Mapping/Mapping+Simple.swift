import PGWire

extension Mapping {
    /// Maps one topic to one table by field and column names, for programs without a mapping file.
    ///
    /// - Parameters:
    ///   - topic: A topic's name, or a regular expression.
    ///   - table: `TABLE` or `SCHEMA.TABLE`, as in a mapping file.
    /// - Throws: `BindingError` that names the option `--topic` or `--table`.
    public init(topic: String, table: String) throws(BindingError) {
        let selector: TopicSelector
        do throws(TopicSelectorError) {
            selector = try TopicSelector(topic)
        } catch {
            throw BindingError(error.message, file: "--topic", line: 0)
        }
        guard let name = TableName(parsing: table) else {
            throw BindingError(
                "\"\(table)\" is not a table's name; write SCHEMA.TABLE, with quotes around a name that has a dot",
                file: "--table", line: 0)
        }
        self.init(routes: [Route(topic: selector, table: name)])
    }
}
