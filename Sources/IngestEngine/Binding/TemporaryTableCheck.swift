import PGWire

/// Checks that the user may create temporary tables if a route needs them.
struct TemporaryTableCheck {
    static func run(_ routes: [BoundRoute], file: String, _ session: inout PostgresSession) throws {
        guard let route = routes.first(where: { $0.mode != .append || $0.route.each != nil }) else { return }
        let result = try session.execute(
            "SELECT has_database_privilege(current_database(), 'TEMPORARY'), current_user, current_database()")
        guard let row = result.rows.first, row[0] == "f" else { return }
        let (user, database) = (row[1] ?? "", row[2] ?? "")
        let scope = RouteScope(file: file, route: route.route, table: route.table, user: user)
        let what = route.mode == .append ? "each" : "mode"
        throw scope.failure(
            "\"\(what)\" needs temporary tables, which the user \(user) may not create; the database's owner can "
                + "allow it: GRANT TEMPORARY ON DATABASE \(try session.quoted(database)) TO "
                + "\(try session.quoted(user))")
    }
}
