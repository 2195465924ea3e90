import PGWire

/// The types of the tables' columns, and the types that these use: base types of domains and element types of arrays.
///
/// Source: PostgreSQL manual, "System Catalogs": pg_type, pg_enum, pg_constraint.
struct CatalogTypes {
    private struct Entry {
        /// `d` for a domain, `e` for an enum, `b` for a base type and so on.
        let kind: String
        /// A domain's base type, which may itself be a domain.
        let base: UInt32
        let baseModifier: Int32
        let isNotNull: Bool
        let hasDefault: Bool
        /// An array's element type; 0 for other types.
        let element: UInt32
        let isChecked: Bool
        var labels: [String] = []
    }

    private var entries: [UInt32: Entry] = [:]

    /// The deepest nesting of types, beyond any real one. It keeps a corrupt catalog from causing endless recursion.
    private static let maximumDepth = 64

    static func read(_ types: [UInt32], _ session: inout PostgresSession) throws(PostgresError) -> CatalogTypes {
        let rows = try session.query(
            """
            WITH RECURSIVE used (oid, element) AS (
                SELECT t.oid, e.oid FROM pg_catalog.pg_type t
                LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND e.typarray = t.oid
                WHERE t.oid = ANY ($1::oid[])
            UNION
                SELECT t.oid, e.oid FROM used
                JOIN pg_catalog.pg_type outside ON outside.oid = used.oid
                JOIN pg_catalog.pg_type t ON t.oid IN (outside.typbasetype, used.element)
                LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND e.typarray = t.oid
            )
            SELECT t.oid, t.typtype, t.typbasetype, t.typtypmod, t.typnotnull, t.typdefault IS NOT NULL,
                coalesce(used.element, 0),
                EXISTS (SELECT FROM pg_catalog.pg_constraint c WHERE c.contypid = t.oid AND c.contype = 'c'),
                e.enumlabel
            FROM used JOIN pg_catalog.pg_type t ON t.oid = used.oid
            LEFT JOIN pg_catalog.pg_enum e ON e.enumtypid = t.oid
            ORDER BY t.oid, e.enumsortorder
            """, parameters: [.oids(types)]
        ).rows
        var found = CatalogTypes()
        for row in rows {
            let oid = try row.oid(0)
            var entry =
                if let known = found.entries[oid] {
                    known
                } else {
                    Entry(
                        kind: row[1] ?? "", base: try row.oid(2), baseModifier: try row.decode(3),
                        isNotNull: try row.decode(4), hasDefault: try row.decode(5), element: try row.oid(6),
                        isChecked: try row.decode(7))
                }
            if let label = row[8] { entry.labels.append(label) }
            found.entries[oid] = entry
        }
        return found
    }

    /// The oids of the enums among the types.
    var enumerations: [UInt32] { entries.filter { $0.value.kind == "e" }.keys.sorted() }

    /// The oids of the domains among the types.
    var domains: [UInt32] { entries.filter { $0.value.kind == "d" }.keys.sorted() }

    // MARK: Resolution

    /// The encoder's description of a type. A domain over a domain gets the innermost base type.
    func resolved(_ oid: UInt32, modifier: Int32) -> ColumnType {
        resolved(oid, modifier, depth: 0)
    }

    /// Whether the type is a domain that refuses null, itself or through its base type.
    func refusesNull(_ oid: UInt32) -> Bool {
        domainChain(oid).contains { $0.isNotNull }
    }

    /// Whether the type is a domain with a default. A new domain inherits its base type's default.
    func hasDefault(_ oid: UInt32) -> Bool {
        domainChain(oid).first?.hasDefault ?? false
    }

    /// The domain and the domains under it, from the outermost in.
    private func domainChain(_ oid: UInt32) -> [Entry] {
        var chain: [Entry] = []
        var next = oid
        while let entry = entries[next], entry.kind == "d", chain.count < Self.maximumDepth {
            chain.append(entry)
            next = entry.base
        }
        return chain
    }

    private func resolved(_ oid: UInt32, _ modifier: Int32, depth: Int) -> ColumnType {
        guard depth < Self.maximumDepth, let entry = entries[oid] else { return .other }
        switch entry.kind {
        case "d":
            let base = resolved(entry.base, entry.baseModifier, depth: depth + 1)
            return switch base {
            case .other: .other
            case .domain(let inner, let isChecked): .domain(base: inner, isChecked: isChecked || entry.isChecked)
            default: .domain(base: base, isChecked: entry.isChecked)
            }
        case "e": return .enumeration(entry.labels)
        case "b" where entry.element != 0:
            // An array's modifier applies to its elements.
            let element = resolved(entry.element, modifier, depth: depth + 1)
            return switch element {
            case .other: .other
            // Only the server can check here whether an element may be null.
            case .domain(let base, _) where refusesNull(entry.element):
                .array(element: .domain(base: base, isChecked: true), elementOID: entry.element)
            default: .array(element: element, elementOID: entry.element)
            }
        case "b": return ColumnType(builtIn: oid, modifier: modifier)
        default: return .other
        }
    }
}

extension ColumnType {
    /// A built-in type.
    ///
    /// Sources: `pg_type.dat` for the numbers, which never change; `varchar.c`, `numeric.c`, `timestamp.c` and `date.c`
    /// for the modifiers.
    init(builtIn oid: UInt32, modifier: Int32) {
        // Lengths include the four bytes of a varlena header.
        let length = modifier >= 4 ? Int(modifier) - 4 : nil
        let precision = (0...6).contains(modifier) ? Int(modifier) : 6
        switch oid {
        case 16: self = .bool
        case 17: self = .bytea
        case 20: self = .int8
        case 21: self = .int2
        case 23: self = .int4
        case 25: self = .text
        case 114: self = .json
        case 700: self = .float4
        case 701: self = .float8
        case 869: self = .inet
        // `bpchar` without a length stores text unchanged.
        case 1042: self = length.map(ColumnType.char) ?? .text
        case 1043: self = .varchar(length)
        case 1082: self = .date
        case 1083: self = .time(precision: precision)
        case 1114: self = .timestamp(precision: precision)
        case 1184: self = .timestamptz(precision: precision)
        // `interval(p)` and `interval hour to minute` truncate values, which is left to the server.
        case 1186: self = modifier == -1 ? .interval : .other
        case 1700: self = .numeric(length.map(Precision.init(modifier:)))
        case 2950: self = .uuid
        case 3802: self = .jsonb
        default: self = .other
        }
    }
}

extension ColumnType.Precision {
    /// Decodes the modifier of `numeric` without its header: the precision in the upper 16 bits, and the scale in 11
    /// bits as two's complement. Servers before 15 have no negative scales and use the same bits.
    init(modifier: Int) {
        let scale = ((modifier & 0x7ff) ^ 1024) - 1024
        self.init(precision: (modifier >> 16) & 0xffff, scale: scale)
    }
}
