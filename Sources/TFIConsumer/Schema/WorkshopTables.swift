import IngestEngine

/// A table's name and the lines of its definition: columns, then constraints.
struct WorkshopTable: Sendable {
    let name: String
    let definition: [String]
}

extension WorkshopSchema {
    /// The tables that `run` needs for a plant's messages.
    static func requiredTables(of plant: PlantName?) -> [String] {
        ["ucp", "uc"].map { PlantName.name($0, of: plant) } + ownTables
    }
    /// The tables that `run` needs for any mapping.
    static let ownTables = [OwnTables.deadLetter.name, OwnTables.offsets.name]

    /// The plant's tables, in the order of their creation.
    static let tables = [
        // Units at collection points, and concerns, with the messages' columns. The times are local to the plant,
        // without a time zone. Without index and key, which every COPY would have to maintain: see RowTable.
        WorkshopTable(
            name: "ucp",
            definition: [
                "qls_unit_id integer NOT NULL",
                "unit_collection_pt_timestamp timestamp without time zone NOT NULL",
                "collection_point_id integer NOT NULL",
                "zone_id integer NOT NULL",
            ]),
        WorkshopTable(
            name: "uc",
            definition: [
                "qls_unit_id integer NOT NULL",
                "unit_collection_pt_timestamp timestamp without time zone NOT NULL",
                "collection_point_id integer NOT NULL",
                "concern_id integer NOT NULL",
                "zone_charged_id integer NOT NULL",
            ]),
        // Maintained by the user: how many units are to be produced by the end of each hour, counted from the start of
        // the day.
        WorkshopTable(
            name: "plan",
            definition: [
                "hour integer PRIMARY KEY CHECK (hour BETWEEN 0 AND 23)",
                "units integer NOT NULL",
            ]),
        // The distinct units of each zone in the settled rows: see RowTable.
        WorkshopTable(
            name: RowTable.unitTable,
            definition: [
                "source text",
                "zone_id integer",
                "block integer",
                "members bit(\(RowTable.blockSize)) NOT NULL",
                "units integer NOT NULL",
                "PRIMARY KEY (source, zone_id, block)",
            ]),
        WorkshopTable(
            name: RowTable.dayTable, definition: ["source text", "day date", "PRIMARY KEY (source, day)"]),
        WorkshopTable(
            name: RowTable.stateTable,
            definition: ["source text PRIMARY KEY", "is_counted boolean NOT NULL"]),
    ]

    /// The initial plan: the running total to reach by the end of each hour.
    static let referencePlan: [(hour: Int, units: Int)] = [
        (8, 13), (9, 27), (10, 41), (11, 55), (12, 65), (13, 72), (14, 86), (15, 100), (16, 110),
    ]
}
