/// One of the plant's two tables of rows, `ucp` and `uc`, in two parts.
///
/// Everybody writes into the table itself, which has no index: each would cost every COPY. Its rows are the *recent* ones.
/// `run` moves them into a child table, where they are *settled*: it has the indexes that the views need. A query on the
/// table reads both parts, since PostgreSQL's inheritance adds the child's rows; each row is in one of them at any moment.
///
/// The units of each zone are counted when their rows are settled: a set of units as bits, in blocks of ``blockSize``
/// numbers of units. The count holds until somebody changes settled rows; triggers notice that.
struct RowTable: Sendable {
    let name: String
    /// The column of the zones whose units are counted.
    let zoneColumn: String
    /// The child's indexes, as they are written after `CREATE INDEX … ON table`, by what their names end in.
    let indexes: [(suffix: String, definition: String)]

    static let ucp = RowTable(
        name: "ucp", zoneColumn: "zone_id",
        indexes: [
            // For the rows of a day. They are nearly in the order of their days, so the smallest kind of index does.
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

    /// The child with the settled rows.
    var settled: String { "\(name)_settled" }

    /// The days of which there are settled rows, of any of the tables.
    static let dayTable = "settled_day"

    // MARK: Counted units

    /// The function that counts the units of each zone in all rows.
    var countFunction: String { "count_units_of_\(name)" }

    /// The sets of units.
    static let unitTable = "zone_unit_set"
    /// Whether the sets hold, by the table's name.
    static let stateTable = "zone_unit_state"

    /// A set is stored in blocks of so many numbers. A block of this size is compressed by the server if it has few bits.
    static let blockSize = 16_384

    /// The block that a unit is in, for SQL.
    static func block(of unit: String) -> String { "(\(unit) >> 14)" }
    /// The unit's place in its block, for SQL.
    static func place(of unit: String) -> String { "(\(unit) & \(blockSize - 1))" }

    /// Set within a transaction that settles rows, and which the triggers therefore leave alone.
    static let settlingSetting = "tfi_consumer.is_settling"
}
