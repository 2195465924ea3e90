/// A table by its name and the lines of its definition: columns, then constraints.
struct WorkshopTable: Sendable {
    let name: String
    let definition: [String]
}

extension WorkshopSchema {
    /// What `run` can't work without; the check at its start is `missingTablesQuery`.
    static let requiredTables = ["ucp", "uc", "dead_letter", "kafka_offset"]

    /// In the order in which they are made.
    static let tables = [
        // Units at collection points, and concerns: the messages' columns. The times are the plant's local ones,
        // which carry no zone. No index and no key: each would cost every COPY, and the views read the whole table.
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
        // Messages that can't be a row. Key, value and timestamp may be missing in Kafka too.
        WorkshopTable(
            name: "dead_letter",
            definition: [
                "\"topic\" text NOT NULL",
                "\"partition\" integer NOT NULL",
                "\"offset\" bigint NOT NULL",
                "\"timestamp\" timestamp with time zone",
                "key bytea",
                "value bytea",
                "headers jsonb",
                "reason text NOT NULL",
                "received_at timestamp with time zone NOT NULL DEFAULT now()",
            ]),
        // Where each group goes on: written in the transaction of the rows themselves. The topic's id and the leader
        // epoch tell a topic that was made again, or a log that was cut back, from the one that was read.
        WorkshopTable(
            name: "kafka_offset",
            definition: [
                "group_name text NOT NULL",
                "topic text NOT NULL",
                "partition integer NOT NULL",
                "next_offset bigint NOT NULL",
                "topic_id text",
                "leader_epoch integer",
                "updated_at timestamp with time zone NOT NULL DEFAULT now()",
                "PRIMARY KEY (group_name, topic, partition)",
            ]),
        // The user's: how many units are to be produced by the end of each hour, counted from the day's beginning.
        WorkshopTable(
            name: "plan",
            definition: [
                "hour integer PRIMARY KEY CHECK (hour BETWEEN 0 AND 23)",
                "units integer NOT NULL",
            ]),
    ]

    /// The plan that an empty `plan` is filled with: the running total to reach by the end of each hour.
    static let referencePlan: [(hour: Int, units: Int)] = [
        (8, 13), (9, 27), (10, 41), (11, 55), (12, 65), (13, 72), (14, 86), (15, 100), (16, 110),
    ]
}
