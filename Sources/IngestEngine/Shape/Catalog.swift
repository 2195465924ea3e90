import PGWire

/// What the database says about the tables of a mapping, read in one snapshot.
public struct Catalog: Sendable {
    /// Each table by the name that the mapping gives it, or why it can't be written to.
    public let tables: [TableName: Result<TableShape, CatalogError>]
    /// The user of the connection, quoted where SQL needs it.
    public let user: String
    /// Notices later changes of these tables. Nil if a table can't be written to.
    public let fingerprint: TableFingerprint?

    /// Reads the shapes of tables.
    ///
    /// Everything is read in one snapshot, so that shapes and fingerprint describe the same moment. A change that
    /// commits while this reads is either in both or in neither; in the latter case the first check of the
    /// fingerprint notices it. Takes no locks on the tables, and six round trips for any number of them.
    ///
    /// - Parameters:
    ///   - names: Names with a schema, or without one to look along the search path.
    ///   - session: A transaction that hasn't run a statement yet.
    /// - Throws: `PostgresError` if the database can't be asked. A table that doesn't exist is a result, not an error.
    public static func read(
        _ names: [TableName], _ session: inout PostgresSession
    ) throws(PostgresError) -> Catalog {
        try session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        var names = names
        var seen: Set<TableName> = []
        names.removeAll { !seen.insert($0).inserted }
        let relations = try CatalogRelation.read(names, &session)
        let identifiers = relations.compactMap(\.oid)
        let columns = try CatalogColumn.read(identifiers, &session)
        let types = try CatalogTypes.read(columns.map(\.typeOID), &session)
        let keys = try CatalogKey.read(identifiers, &session)

        var tables: [TableName: Result<TableShape, CatalogError>] = [:]
        var writable: [(shape: TableShape, oid: UInt32)] = []
        for (name, relation) in zip(names, relations) {
            if let oid = relation.oid, let kind = relation.writableKind {
                let shape = relation.shape(
                    kind, columns: columns.filter { $0.tableOID == oid }, types: types,
                    keys: keys.filter { $0.tableOID == oid })
                tables[name] = .success(shape)
                writable.append((shape, oid))
            } else {
                tables[name] = .failure(try relation.failure(name, &session))
            }
        }
        return Catalog(
            tables: tables, user: relations.first?.user ?? "",
            fingerprint: writable.count == names.count
                ? try TableFingerprint.taken(of: writable, types: types, &session) : nil)
    }
}
