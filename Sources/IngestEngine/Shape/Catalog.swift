import PGWire

/// The definitions of a mapping's tables in the database, read in one snapshot.
public struct Catalog: Sendable {
    /// Each table by its name in the mapping, or the reason why it can't be written to.
    public let tables: [TableName: Result<TableShape, CatalogError>]
    /// The connection's user, quoted if SQL requires it.
    public let user: String
    /// Detects later changes of these tables; nil if one of them can't be written to.
    public let fingerprint: TableFingerprint?

    /// Reads the definitions of tables.
    ///
    /// Everything is read in one snapshot, so that definitions and fingerprint describe the same moment. A concurrent
    /// change is either in both or in neither; in the latter case the first check of the fingerprint detects it. Takes
    /// no locks on the tables, and six round trips for any number of tables.
    ///
    /// - Parameters:
    ///   - names: Names with a schema, or without one to search along `search_path`.
    ///   - session: A transaction that hasn't run a statement yet.
    /// - Throws: `PostgresError` if a query fails. A missing table is a result, not an error.
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
