import CommandLineSupport
import PGWire

/// The privileges that the database user needs, checked before the first batch is sent.
public struct Privileges: Sendable {
    struct Need: Sendable {
        let privilege: String
        /// The unquoted name of a table in the schema.
        let table: String
        let columns: [String]
    }

    /// The unquoted name of the schema.
    let schema: String
    let needs: [Need]

    /// - Throws: `Failure` that names the missing privilege; `PostgresError`.
    public func check(_ session: inout PostgresSession) throws {
        for need in needs {
            let table = "\(try session.quoted(schema)).\(try session.quoted(need.table))"
            let columns = need.columns.indices.map { "($\($0 + 3)::text)" }.joined(separator: ", ")
            let missing = try session.query(
                """
                SELECT wanted.name, current_user FROM (VALUES \(columns)) AS wanted (name)
                WHERE NOT has_column_privilege($1::text, wanted.name, $2::text)
                """, parameters: [.text(table), .text(need.privilege)] + need.columns.map { .text($0) })
            guard let first = missing.rows.first else { continue }
            let user: String = try first.decode(1)
            throw Failure(
                "the database user \(user) lacks the privilege \(need.privilege) on \(table): GRANT "
                    + "\(need.privilege) ON \(table) TO \(try session.quoted(user))",
                status: .configuration)
        }
    }
}
