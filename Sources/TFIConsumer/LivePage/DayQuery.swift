import IngestEngine
import KafkaWire
import PGWire

/// Queries the figures of one day that the live page shows.
struct DayQuery: Sendable {
    let schema: WorkshopSchema

    struct Answer: Sendable {
        /// The day of the tiles, as `yyyy-MM-dd`; nil if there are no rows and no day was requested.
        var day: String?
        /// The day that is shown if none is requested, as `yyyy-MM-dd`; nil if there are no rows.
        var newestDay: String?
        /// The newest 60 days with rows, newest first, as a JSON array.
        var days = "[]"
        /// The local time of the day's last row, as `yyyy-MM-ddTHH:mm:ss`; nil if the day has no rows.
        var lastRow: String?
        /// The tiles, as a JSON object.
        var tiles = "{}"
        /// When rows were last committed, in UTC as `yyyy-MM-ddTHH:mm:ssZ`; nil if never.
        var lastCommit: String?
        /// The offsets that the group has committed.
        var committed: [TopicPartition: Int64] = [:]
    }

    /// Reads all figures from one snapshot, writes nothing, and limits each query to 15 s.
    private static let prelude = """
        SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL statement_timeout = '15s';
        SET LOCAL search_path = pg_catalog
        """

    /// Queries one day.
    ///
    /// - Parameters:
    ///   - day: A day as `yyyy-MM-dd`; nil for the newest one with rows that isn't later than `today`.
    ///   - today: The plant's present day. Rows of later days exist if a clock was wrong.
    ///   - group: The consumer group whose offsets are read.
    ///   - connection: The connection to query over.
    func ask(
        _ day: String?, today: String, group: String, over connection: PostgresConnection
    ) async throws -> Answer {
        try await connection.transaction(prelude: Self.prelude) { session in
            var answer = Answer()
            let isSettling: Bool = try session.query(
                "SELECT to_regclass($1) IS NOT NULL", parameters: [.text(schema.qualified(RowTable.ucp.settled))]
            ).onlyRow.decode(0)
            let days = try session.query(
                daysQuery(isSettling: isSettling), parameters: [PostgresValue(day), .text(today)]
            ).onlyRow
            answer.day = try days.decodeIfPresent(0)
            answer.days = try days.decode(1)
            answer.newestDay = try days.decodeIfPresent(2)
            let shown = answer.day ?? today
            let tiles = try session.query(tilesQuery, parameters: [.text(shown)]).onlyRow
            answer.tiles = try tiles.decode(0)
            answer.lastRow = try tiles.decodeIfPresent(1)
            let offsets = try session.query(
                """
                SELECT topic, partition, next_offset, to_char(
                    max(updated_at) OVER () AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
                FROM \(schema.own(OffsetStore.tableName)) WHERE group_name = $1
                """, parameters: [.text(group)])
            for row in offsets.rows {
                let partition = TopicPartition(topic: try row.decode(0), partition: try row.decode(1))
                answer.committed[partition] = try row.decode(2)
                answer.lastCommit = try row.decodeIfPresent(3)
            }
            return answer
        }
    }

    /// Returns the day to show, the days that can be chosen, and the newest day.
    ///
    /// $1 is the requested day or null, $2 the present day.
    private func daysQuery(isSettling: Bool) -> String {
        let recent = RowTable.all.map { table in
            "SELECT unit_collection_pt_timestamp::date FROM \(isSettling ? "ONLY " : "")\(schema.qualified(table.name))"
        }
        let settled = isSettling ? ["SELECT day FROM \(schema.qualified(RowTable.dayTable))"] : []
        return """
            WITH every (day) AS (
                \((settled + recent).joined(separator: " UNION "))
            ), newest (day) AS (
                SELECT coalesce((SELECT max(day) FROM every WHERE day <= $2::date), (SELECT min(day) FROM every))
            )
            SELECT coalesce($1::date, newest.day),
                (
                    SELECT coalesce(json_agg(latest.day ORDER BY latest.day DESC), '[]')
                    FROM (SELECT day FROM every ORDER BY day DESC LIMIT 60) AS latest
                ), newest.day
            FROM newest
            """
    }

    /// Returns the tiles of the day $1, and the time of its last row.
    private var tilesQuery: String {
        func list(_ view: String, _ members: [(name: String, column: String)], by order: String) -> String {
            let object = members.map { "'\($0.name)', \($0.column)" }.joined(separator: ", ")
            return "(SELECT coalesce(json_agg(json_build_object(\(object)) ORDER BY \(order)), '[]') "
                + "FROM \(schema.qualified(view)) WHERE day = $1::date)"
        }
        func count(_ view: String, _ column: String = "units") -> String {
            "coalesce((SELECT \(column) FROM \(schema.qualified(view)) WHERE day = $1::date), 0)"
        }
        func last(_ table: RowTable) -> String {
            "(SELECT max(unit_collection_pt_timestamp) FROM \(schema.qualified(table.name)) "
                + "WHERE unit_collection_pt_timestamp::date = $1::date)"
        }
        let (hour, units) = (("hour", "hour"), ("units", "units"))
        let tiles = [
            ("total", count("tile_total")), ("nok", count("tile_nok")),
            (
                "share",
                "json_build_object('produced', \(count("tile_throughput", "produced")), "
                    + "'without_concern', \(count("tile_throughput", "without_concern")))"
            ),
            ("units_per_hour", list("tile_units_per_hour", [hour, units], by: "hour")),
            ("current_production", list("tile_current_production", [hour, units, ("plan", "plan")], by: "hour")),
            (
                "plan",
                "(SELECT coalesce(json_agg(json_build_object('hour', hour, 'units', units) ORDER BY hour), '[]') "
                    + "FROM \(schema.qualified("plan")))"
            ),
            ("units_per_zone", list("tile_units_per_zone", [("zone", "zone_id"), units], by: "units DESC, zone_id")),
            (
                "nok_per_zone",
                list("tile_nok_per_zone", [("zone", "zone_charged_id"), units], by: "units DESC, zone_charged_id")
            ),
            (
                "not_ok_by_point",
                list(
                    "tile_not_ok_by_cp", [("point", "collection_point_id"), units],
                    by: "units DESC, collection_point_id")
            ),
            ("concerns_per_hour", list("tile_concerns_per_hour", [hour, units], by: "hour")),
        ]
        return """
            SELECT json_build_object(\(tiles.map { "'\($0.0)', \($0.1)" }.joined(separator: ",\n    "))),
                to_char(greatest(\(last(.ucp)), \(last(.uc))), 'YYYY-MM-DD"T"HH24:MI:SS')
            """
    }
}
