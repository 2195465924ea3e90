/// One of the plant's two tables of rows, `ucp` and `uc`. Each has two parts.
///
/// All writers insert into the table itself. It has no index, since every COPY would have to maintain it. Its rows are
/// the *recent* ones. `run` moves them into a child table, where they are *settled*: the child has the indexes that the
/// views need. A query on the table reads both parts by PostgreSQL's inheritance, and each row is in exactly one of
/// them at any moment.
///
/// When rows are settled, the units of each zone are counted. The count is stored as a set of units: bits, in blocks of
/// ``blockSize`` unit numbers. It is valid until someone changes settled rows, which triggers detect.
struct RowTable: Sendable {
    let name: String
    /// The column with the zone by which units are counted.
    let zoneColumn: String
    /// The child's indexes: the suffix of the name, and the definition after `CREATE INDEX … ON table`.
    let indexes: [(suffix: String, definition: String)]

    static let ucp = RowTable(
        name: "ucp", zoneColumn: "zone_id",
        indexes: [
            // For queries by day. Rows are almost in the order of their days, so the smallest kind of index is enough.
            ("day", "USING brin ((unit_collection_pt_timestamp::date)) WITH (pages_per_range = 32)"),
            (
                "produced",
                "(qls_unit_id, unit_collection_pt_timestamp) "
                    + "WHERE collection_point_id = \(WorkshopSchema.lastCollectionPoint)"
            ),
            (
                "produced_day",
                "((unit_collection_pt_timestamp::date)) "
                    + "WHERE collection_point_id = \(WorkshopSchema.lastCollectionPoint)"
            ),
        ])
    static let uc = RowTable(
        name: "uc", zoneColumn: "zone_charged_id",
        indexes: [
            ("unit", "(qls_unit_id, unit_collection_pt_timestamp)"),
            ("day", "((unit_collection_pt_timestamp::date))"),
        ])
    static let all = [ucp, uc]

    /// The name of the child with the settled rows.
    var settled: String { "\(name)_settled" }

    /// The table of the days that have settled rows, by the source table's name.
    static let dayTable = "settled_day"

    // MARK: Counted units

    /// The function that counts the units of each zone over all rows.
    var countFunction: String { "count_units_of_\(name)" }

    /// The table of the unit sets.
    static let unitTable = "zone_unit_set"
    /// The table that records whether the sets are valid, by the source table's name.
    static let stateTable = "zone_unit_state"

    /// The number of unit numbers in a block. The server compresses a block of this size if it has few bits.
    static let blockSize = 16_384

    /// The block of a unit, as SQL.
    static func block(of unit: String) -> String { "(\(unit) >> 14)" }
    /// The unit's place in its block, as SQL.
    static func place(of unit: String) -> String { "(\(unit) & \(blockSize - 1))" }

    /// Set in a transaction that settles rows, so that the triggers ignore its changes.
    static let settlingSetting = "tfi_consumer.is_settling"
}
