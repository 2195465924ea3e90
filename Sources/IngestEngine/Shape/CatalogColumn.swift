import PGWire

/// A column as described by pg_attribute.
///
/// Source: PostgreSQL manual, "System Catalogs": pg_attribute.
struct CatalogColumn {
    let tableOID: UInt32
    let name: String
    let typeOID: UInt32
    /// The type modifier, such as the length of a `varchar`; -1 if there is none.
    let modifier: Int32
    let typeName: String
    let isNotNull: Bool
    let hasDefault: Bool
    /// `a` for GENERATED ALWAYS AS IDENTITY, `d` for BY DEFAULT, empty for neither.
    let identity: String
    /// Empty unless the column is computed from others.
    let generated: String
    let privileges: TableShape.Privileges

    /// The columns of the tables in table order, without dropped ones.
    static func read(
        _ tables: [UInt32], _ session: inout PostgresSession
    ) throws(PostgresError) -> [CatalogColumn] {
        let rows = try session.query(
            """
            SELECT a.attrelid, a.attname, a.atttypid, a.atttypmod, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                a.atthasdef, a.attidentity, a.attgenerated, has_column_privilege(a.attrelid, a.attnum, 'INSERT'),
                has_column_privilege(a.attrelid, a.attnum, 'UPDATE'),
                has_column_privilege(a.attrelid, a.attnum, 'SELECT')
            FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
            ORDER BY a.attrelid, a.attnum
            """, parameters: [.oids(tables)]
        ).rows
        var columns: [CatalogColumn] = []
        for row in rows { columns.append(try CatalogColumn(row)) }
        return columns
    }

    private init(_ row: PostgresRow) throws(PostgresError) {
        tableOID = try row.oid(0)
        name = try row.decode(1)
        typeOID = try row.oid(2)
        modifier = try row.decode(3)
        typeName = row[4] ?? ""
        isNotNull = try row.decode(5)
        hasDefault = try row.decode(6)
        identity = row[7] ?? ""
        generated = row[8] ?? ""
        privileges = .init(insert: row[9], update: row[10], select: row[11])
    }

    func shape(_ types: CatalogTypes) -> TableShape.Column {
        let isComputed = !generated.isEmpty
        return TableShape.Column(
            name: name, type: types.resolved(typeOID, modifier: modifier),
            isNotNull: isNotNull || types.refusesNull(typeOID),
            hasDefault: !isComputed && (hasDefault || !identity.isEmpty || types.hasDefault(typeOID)),
            isGenerated: isComputed || identity == "a", typeName: typeName, privileges: privileges)
    }
}

/// A primary key or unique index.
///
/// Source: PostgreSQL manual, "System Catalogs": pg_index.
struct CatalogKey {
    let tableOID: UInt32
    let isPrimary: Bool
    /// Whether `ON CONFLICT` can use it: it isn't deferrable.
    let isUsable: Bool
    let columns: [String]

    static func read(
        _ tables: [UInt32], _ session: inout PostgresSession
    ) throws(PostgresError) -> [CatalogKey] {
        let rows = try session.query(
            """
            SELECT i.indrelid, i.indexrelid, i.indisprimary, i.indimmediate, a.attname
            FROM pg_catalog.pg_index i
            CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, position)
            JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
            WHERE i.indrelid = ANY ($1::oid[]) AND i.indisunique AND i.indisvalid AND i.indpred IS NULL
                AND i.indexprs IS NULL AND k.position <= i.indnkeyatts
            ORDER BY i.indrelid, i.indisprimary DESC, i.indexrelid, k.position
            """, parameters: [.oids(tables)]
        ).rows
        var keys: [CatalogKey] = []
        var last: UInt32?
        for row in rows {
            let (index, column) = (try row.oid(1), try row.decode(4, as: String.self))
            if index == last, let key = keys.popLast() {
                keys.append(
                    CatalogKey(
                        tableOID: key.tableOID, isPrimary: key.isPrimary, isUsable: key.isUsable,
                        columns: key.columns + [column]))
            } else {
                keys.append(
                    CatalogKey(
                        tableOID: try row.oid(0), isPrimary: try row.decode(2), isUsable: try row.decode(3),
                        columns: [column]))
            }
            last = index
        }
        return keys
    }
}

extension PostgresRow {
    /// The oid of a catalog object.
    func oid(_ column: Int) throws(PostgresError) -> UInt32 {
        UInt32(truncatingIfNeeded: try decode(column, as: Int64.self))
    }
}

extension PostgresValue {
    /// A value for `oid[]`.
    static func oids(_ values: [UInt32]) -> PostgresValue {
        .text("{" + values.map(String.init).joined(separator: ",") + "}")
    }
}
