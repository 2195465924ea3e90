import PGWire

/// Binds the routes of a mapping to their tables.
public struct Binder {
    private let file: String
    private let catalog: Catalog
    private let unknownFields: Mapping.UnknownFields

    /// Binds the routes of several mappings and checks them against each other.
    public static func bind(
        _ sources: [IngestPlan.Source], to catalog: Catalog, _ session: inout PostgresSession
    ) throws -> [BoundRoute] {
        var routes: [BoundRoute] = []
        for source in sources { routes += try bind(source.mapping, to: catalog, file: source.file, &session) }
        // Each mapping's own routes have been compared already.
        if sources.count > 1 { try RouteOrder.check(routes, file: "") }
        return routes
    }

    /// Binds every route and has the server check the columns' defaults.
    ///
    /// - Parameters:
    ///   - file: The mapping's file, for errors; empty if the mapping comes from the command line.
    ///   - session: The transaction in which the catalog was read, or a later one.
    /// - Throws: `BindingError` for the first route that doesn't fit; `PostgresError` if a query fails.
    public static func bind(
        _ mapping: Mapping, to catalog: Catalog, file: String = "", _ session: inout PostgresSession
    ) throws -> [BoundRoute] {
        let routes = try bind(mapping, to: catalog, file: file)
        // The same settings as for rows that the server parses itself.
        try session.execute(ServerRows.settings)
        for route in routes {
            try DefaultCheck(route, file: file).run(&session)
            try checkEncoder(route, file: file)
        }
        try RouteOrder.check(routes, file: file)
        try TemporaryTableCheck.run(routes, file: file, &session)
        return routes
    }

    /// The encoder has checks of its own for zones and defaults.
    private static func checkEncoder(_ bound: BoundRoute, file: String) throws(BindingError) {
        do throws(RowPlanError) {
            _ = try RowEncoder(bound.plan)
        } catch {
            let line = bound.route.columns?.first { $0.name == error.column }?.line ?? 0
            let scope = RouteScope(file: file, route: bound.route, table: bound.table, user: "")
            throw scope.failure("the column \"\(error.column)\": \(error.message)", line: line)
        }
    }

    /// Binds every route without checking the columns' defaults.
    ///
    /// - Throws: `BindingError` for the first route that doesn't fit.
    static func bind(
        _ mapping: Mapping, to catalog: Catalog, file: String = ""
    ) throws(BindingError) -> [BoundRoute] {
        let binder = Binder(file: file, catalog: catalog, unknownFields: mapping.unknownFields)
        var routes: [BoundRoute] = []
        for route in mapping.routes { routes.append(try binder.bound(route)) }
        return routes
    }

    private func bound(_ route: Route) throws(BindingError) -> BoundRoute {
        let table: TableShape
        switch catalog.tables[route.table] {
        case .success(let shape): table = shape
        case .failure(let error):
            throw BindingError(
                error.message, file: file, line: route.line, isOfAbsence: error.isOfAbsence)
        case nil:
            throw BindingError("the table \(route.table.text) wasn't looked up", file: file, line: route.line)
        }
        let scope = RouteScope(file: file, route: route, table: table, user: catalog.user)
        var columns =
            if let named = route.columns { try scope.columns(named) } else { scope.columnsByName() }
        guard !columns.isEmpty else {
            throw scope.failure("the table has no column that a message could fill")
        }
        let named = Set(columns.map(\.name))
        try scope.checkFilled(named)
        let mode = try scope.mode(columns)
        // A row with a null in its key conflicts with no row, so it could neither replace one nor be replaced.
        for index in columns.indices where mode.key.contains(columns[index].name) { columns[index].isNotNull = true }
        let bound = BoundRoute(
            route: route, table: table, plan: RowPlan(columns: columns, unknownFields: unknownFields), mode: mode,
            leftToDefault: table.columns.filter { $0.hasDefault && !$0.isGenerated && !named.contains($0.name) }
                .map(\.name))
        try PrivilegeCheck(scope: scope, bound: bound).run()
        return bound
    }
}

/// The context of one route during binding: its table, and its place in errors.
struct RouteScope {
    let file: String
    let route: Route
    let table: TableShape
    let user: String

    /// - Parameter line: The line in the file; 0 for the route's line.
    func failure(_ message: String, line: Int = 0) -> BindingError {
        BindingError("route to \(route.table.text): \(message)", file: file, line: line > 0 ? line : route.line)
    }

    // MARK: Columns

    /// The columns of a route without `columns`: each reads the top-level field of its name.
    ///
    /// Columns with a default in the database are omitted, since COPY can't write a default for a missing field. They
    /// must be named under `columns` if messages have them.
    func columnsByName() -> [RowPlan.Column] {
        table.columns.filter { !$0.isGenerated && !$0.hasDefault }.map { column in
            RowPlan.Column(
                name: column.name, type: column.type, source: .path(JSONPath(steps: [.field(column.name)])),
                isNotNull: refusesNull(column))
        }
    }

    /// The columns that the route names, in the table's order.
    ///
    /// - Throws: `BindingError` if one doesn't exist, is generated, or can't hold its source.
    func columns(_ named: [Route.Column]) throws(BindingError) -> [RowPlan.Column] {
        var found: [String: RowPlan.Column] = [:]
        for column in named {
            guard let shape = table.columns.first(where: { $0.name == column.name }) else {
                throw failure(
                    "the table has no column \"\(column.name)\""
                        + CatalogRelation.hint(column.name, table.columns.map(\.name)), line: column.line)
            }
            guard !shape.isGenerated else {
                throw failure(
                    "only the database writes the column \"\(column.name)\" (GENERATED ALWAYS); leave it out of "
                        + "\"columns\"", line: column.line)
            }
            if let reason = ColumnFit(column: column, shape: shape).misfit {
                throw failure("the column \"\(column.name)\" is \(shape.typeName): \(reason)", line: column.line)
            }
            found[column.name] = RowPlan.Column(
                name: shape.name, type: shape.type, source: column.source, isNotNull: refusesNull(shape),
                format: column.format, zone: column.zone, bytes: column.bytes, defaultText: column.defaultValue)
        }
        return table.columns.compactMap { found[$0.name] }
    }

    /// Whether the column must get a value. A BEFORE INSERT trigger may fill it unless its type is a domain.
    private func refusesNull(_ column: TableShape.Column) -> Bool {
        guard column.isNotNull, table.hasBeforeInsertTrigger else { return column.isNotNull }
        if case .domain = column.type { return true }
        return false
    }

    /// Throws if a column that must not be null would be null in every row.
    func checkFilled(_ named: Set<String>) throws(BindingError) {
        guard !table.hasBeforeInsertTrigger else { return }
        for column in table.columns
        where column.isNotNull && !column.hasDefault && !column.isGenerated && !named.contains(column.name) {
            throw failure(
                "the column \"\(column.name)\" (\(column.typeName)) must not be null and has no default; name it under "
                    + "\"columns\", or give it a default: ALTER TABLE \(table.name.text) ALTER COLUMN "
                    + "\"\(column.name)\" SET DEFAULT …")
        }
    }
}

extension TableName {
    /// The name as a mapping writes it: `SCHEMA.TABLE`, with quotes around a part that needs them.
    public var text: String {
        ([schema].compactMap(\.self) + [table]).map { part in
            let needsQuotes = part.isEmpty || part.unicodeScalars.contains { $0 == "." || $0 == "\"" }
            return needsQuotes ? PostgresText.quotedIdentifier(part) : part
        }.joined(separator: ".")
    }
}
