import PGWire

extension RouteScope {
    /// The route's mode with its key columns.
    func mode(_ columns: [RowPlan.Column]) throws(BindingError) -> BoundRoute.Mode {
        switch route.mode {
        case .append:
            guard !table.hasRowSecurity else {
                throw failure(
                    "row-level security applies to the user \(user), and COPY doesn't support it; give the user "
                        + "BYPASSRLS, or use \"mode: ignore\"")
            }
            return .append
        case .ignore(let key): return .ignore(key: try self.key(key, columns))
        case .upsert(let key, let tombstone):
            let key = try self.key(key, columns)
            return switch tombstone {
            case .delete: .upsert(key: key, tombstone: .delete(try tombstoneKey(key, columns)))
            case .ignore: .upsert(key: key, tombstone: .ignore)
            case .deadLetter: .upsert(key: key, tombstone: .deadLetter)
            }
        }
    }

    private var modeWord: String {
        if case .ignore = route.mode { "ignore" } else { "upsert" }
    }

    /// The columns of the unique index that `ON CONFLICT` uses.
    private func key(_ named: [String]?, _ columns: [RowPlan.Column]) throws(BindingError) -> [String] {
        guard table.kind == .table || table.kind == .partitionedTable else {
            let what = table.kind == .view ? "a view" : "a foreign table"
            throw failure("\"mode: \(modeWord)\" needs a table with a unique index, and this is \(what)")
        }
        let key = named ?? table.primaryKey
        guard !key.isEmpty else {
            throw failure(
                "\"mode: \(modeWord)\" needs a key, and the table has no primary key; name the columns of "
                    + "a unique index: key: [COLUMN]" + existingKeys)
        }
        for name in key where !table.columns.contains(where: { $0.name == name }) {
            throw failure(
                "the key's column \"\(name)\" is not in the table"
                    + CatalogRelation.hint(name, table.columns.map(\.name)))
        }
        guard let index = table.uniqueKeys.first(where: { Set($0) == Set(key) }) else {
            let list = key.map { "\"\($0)\"" }.joined(separator: ", ")
            throw failure(
                "\"mode: \(modeWord)\" needs a unique index on exactly (\(list)) that isn't partial or deferrable; "
                    + "create it: CREATE UNIQUE INDEX ON \(table.name.text) (\(list))" + existingKeys)
        }
        for name in index where !columns.contains(where: { $0.name == name }) {
            throw failure("the key's column \"\(name)\" has no source; name it under \"columns\"")
        }
        return index
    }

    /// The list `; unique keys: (a), (b, c)`; empty if there are none.
    private var existingKeys: String {
        guard !table.uniqueKeys.isEmpty else { return "" }
        return "; unique keys: " + table.uniqueKeys.map { "(\($0.joined(separator: ", ")))" }.joined(separator: ", ")
    }

    /// The sources of a tombstone's key columns.
    private func tombstoneKey(
        _ key: [String], _ columns: [RowPlan.Column]
    ) throws(BindingError) -> BoundRoute.TombstoneKey {
        guard route.each == nil else {
            throw failure(
                "\"tombstone: delete\" doesn't fit \"each\": a record's key can't name the rows of its elements")
        }
        let columns = columns.filter { key.contains($0.name) }
        var withPath: [String] = []
        for column in columns {
            switch column.source {
            case .path: withPath.append(column.name)
            case .header, .record(.key), .record(.topic), .record(.partition): break
            case .rest, .message, .envelope, .record(.value), .record(.offset), .record(.timestamp):
                throw failure(
                    "\"tombstone: delete\" can't find the rows: the source of the key's column \"\(column.name)\" is "
                        + "missing in a record without a value; use a path (looked up in the record's key), a header, "
                        + "or the record's key, topic or partition", line: line(of: column.name))
            }
        }
        return BoundRoute.TombstoneKey(
            columns: columns, textColumn: withPath.count == 1 ? withPath.first : nil)
    }

    private func line(of column: String) -> Int {
        route.columns?.first { $0.name == column }?.line ?? 0
    }
}

/// Checks that the user has the privileges that a route's mode needs.
///
/// `ON CONFLICT` reads the key columns and, for an upsert, `excluded`, which needs SELECT on the columns of the same
/// names.
///
/// Source: PostgreSQL manual, "INSERT", "COPY" and "DELETE".
struct PrivilegeCheck {
    let scope: RouteScope
    let bound: BoundRoute

    func run() throws(BindingError) {
        let columns = bound.plan.columns.map(\.name)
        try check(.insert, "INSERT", columns)
        switch bound.mode {
        case .append: break
        case .ignore(let key): try check(.select, "SELECT", key)
        case .upsert(let key, let tombstone):
            try check(.select, "SELECT", columns)
            try check(.update, "UPDATE", columns.filter { !key.contains($0) })
            if case .delete = tombstone, !scope.table.privileges.contains(.delete) {
                throw failure("DELETE", "DELETE", "rows of it, which \"tombstone: delete\" needs")
            }
        }
    }

    /// Table-level grants are included in the columns' privileges.
    private func check(
        _ privilege: TableShape.Privileges, _ word: String, _ columns: [String]
    ) throws(BindingError) {
        let missing = columns.filter { name in
            scope.table.columns.first { $0.name == name }?.privileges.contains(privilege) == false
        }
        guard !missing.isEmpty else { return }
        guard missing.count < columns.count else { throw failure(word, word, "it") }
        let list = missing.map { "\"\($0)\"" }.joined(separator: ", ")
        throw failure(word, "\(word) (\(list))", "the columns \(list)")
    }

    private func failure(_ word: String, _ grant: String, _ what: String) -> BindingError {
        scope.failure(
            "the user \(scope.user) may not \(word) \(what); the table's owner can allow it: GRANT \(grant) ON "
                + "\(scope.table.name.text) TO \(scope.user)")
    }
}
