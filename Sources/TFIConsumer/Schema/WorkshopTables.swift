import IngestEngine

/// A table by its name and the lines of its definition: columns, then constraints.
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

    /// Those of the plant, in the order in which they are made.
    static let tables = [
        // Units at collection points, and concerns: the messages' columns. The times are the plant's local ones,
        // which carry no zone. No index and no key, which would cost every COPY: see RowTable.
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
        // The user's: how many units are to be produced by the end of each hour, counted from the day's beginning.
        WorkshopTable(
            name: "plan",
            definition: [
                "hour integer PRIMARY KEY CHECK (hour BETWEEN 0 AND 23)",
                "units integer NOT NULL",
            ]),
        // The distinct units of each zone in the settled rows: RowTable.
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

    /// The plan that an empty `plan` is filled with: the running total to reach by the end of each hour.
    static let referencePlan: [(hour: Int, units: Int)] = [
        (8, 13), (9, 27), (10, 41), (11, 55), (12, 65), (13, 72), (14, 86), (15, 100), (16, 110),
    ]
}
