import CommandLineSupport
import PGWire

/// Has the server parse a route's defaults as it would parse a message's values, so that a mistake is an error at
/// startup instead of a dead letter for each record.
struct DefaultCheck {
    private let bound: BoundRoute
    private let file: String

    init(_ bound: BoundRoute, file: String) {
        self.bound = bound
        self.file = file
    }

    /// Runs one query per default.
    ///
    /// - Throws: `BindingError` if the column's type refuses a default, which leaves the transaction failed; otherwise
    ///   `PostgresError`.
    func run(_ session: inout PostgresSession) throws {
        for column in bound.plan.columns {
            guard let text = column.defaultText else { continue }
            guard !text.utf8.contains(0) else { throw failure(column, text, "it has a NUL character") }
            do throws(PostgresError) {
                try check(column, text, &session)
            } catch {
                guard error.isDataError else { throw error }
                throw failure(column, text, error.message)
            }
        }
    }

    private func check(
        _ column: RowPlan.Column, _ text: String, _ session: inout PostgresSession
    ) throws(PostgresError) {
        var base = column.type
        if case .domain(let inner, _) = base { base = inner }
        switch base {
        case .json, .jsonb:
            // As a string inside JSON the default would become a JSON string, which every type and domain accepts.
            try session.query("SELECT $1::json::jsonb", parameters: [.text(text)])
        default:
            // Not `$1::varchar(3)`: an explicit cast truncates a text that is too long.
            let object = JSONValue.object([JSONValue.Member(column.name, .string(text))]).text
            let table = try bound.table.name.quoted(&session)
            try session.query(
                "SELECT json_populate_record(NULL::\(table), $1::json)", parameters: [.text(object)])
        }
    }

    private func failure(_ column: RowPlan.Column, _ text: String, _ reason: String) -> BindingError {
        let line = bound.route.columns?.first { $0.name == column.name }?.line ?? 0
        let type = bound.table.columns.first { $0.name == column.name }?.typeName ?? ""
        let scope = RouteScope(file: file, route: bound.route, table: bound.table, user: "")
        return scope.failure(
            "the column \"\(column.name)\" is \(type), which refuses the default \"\(text)\": \(reason)", line: line)
    }
}
