/// A view's name, columns and query.
struct WorkshopView: Sendable {
    let name: String
    /// In order. The last columns are counts; the columns before them identify the row.
    let columns: [String]
    /// The query for a schema, with its columns in the order of `columns`.
    let query: @Sendable (WorkshopSchema) -> String
}

/// One view for each tile of the dashboard, and the totals over all days.
///
/// A unit is produced once it has passed collection point 40. It counts on the day and hour of its first such passage,
/// and only once even if a message comes twice. A unit is NOK (not OK) while it has a concern and is not produced. It
/// counts on the day of its first concern, whatever the day of its others. If there is nothing to count, there is no
/// row; only the running total has rows for the hours in between.
///
/// All views are queries on the rows, so they are exact at any moment. They are fast for one day if the condition names
/// `day`: the server then reads that day's settled rows by their indexes, and all recent rows (see ``RowTable``).
/// Therefore nothing may prevent the server from moving the condition inwards. Every query groups by the day. None
/// finds the first passage of a unit with min(); each searches for a passage that has no earlier one. Such a search
/// appears twice, for the settled rows with their index and for the recent rows, since the server would read both in
/// the same way if one search covered them.
///
/// Distinct units are counted by two nested GROUP BY instead of count(DISTINCT …), which sorts the whole table in a
/// single process.
extension WorkshopSchema {
    /// In the order of their creation; none depends on another.
    static let views = productionViews + concernViews

    /// The collection point at the end of the line.
    static let lastCollectionPoint = 40

    private static let productionViews = [
        WorkshopView(name: "tile_total", columns: ["day", "units"]) { schema in
            """
            SELECT produced.moment::date, count(*)
            FROM \(schema.produced) AS produced
            GROUP BY 1
            """
        },
        WorkshopView(name: "tile_units_per_hour", columns: ["day", "hour", "units"]) { schema in
            schema.producedPerHour
        },
        // The rows go from the plan's first hour (or an earlier unit) to the last hour in which a unit was produced. An
        // hour without a unit repeats the total, and later hours have no row. The plan is a running total, too: it
        // holds until its next hour. `per_hour` is used twice, and would cover all days if it were materialized.
        WorkshopView(name: "tile_current_production", columns: ["day", "hour", "units", "plan"]) { schema in
            """
            WITH per_hour (day, hour, units) AS NOT MATERIALIZED (
            \(schema.producedPerHour)
            ), span AS NOT MATERIALIZED (
                SELECT day, least(min(hour), (SELECT min(hour) FROM \(schema.qualified("plan")))) AS first_hour,
                    max(hour) AS last_hour
                FROM per_hour
                GROUP BY day
            )
            SELECT span.day, hours.hour,
                sum(coalesce(per_hour.units, 0)) OVER (PARTITION BY span.day ORDER BY hours.hour)::bigint,
                (
                    SELECT plan.units FROM \(schema.qualified("plan")) AS plan
                    WHERE plan.hour <= hours.hour ORDER BY plan.hour DESC LIMIT 1
                )
            FROM span
            CROSS JOIN LATERAL generate_series(span.first_hour, span.last_hour) AS hours (hour)
            LEFT JOIN per_hour ON per_hour.day = span.day AND per_hour.hour = hours.hour
            """
        },
        WorkshopView(name: "tile_units_per_zone", columns: ["day", "zone_id", "units"]) { schema in
            """
            SELECT visit.day, visit.zone_id, count(*)
            FROM (
                SELECT unit_collection_pt_timestamp::date AS day, zone_id, qls_unit_id
                FROM \(schema.qualified("ucp"))
                GROUP BY 1, 2, 3
            ) AS visit
            GROUP BY 1, 2
            """
        },
        WorkshopView(name: "tile_throughput", columns: ["day", "produced", "without_concern", "share"]) { schema in
            """
            SELECT passed.day, count(*), count(*) FILTER (WHERE passed.is_clean),
                count(*) FILTER (WHERE passed.is_clean)::double precision / count(*)
            FROM (
                SELECT produced.moment::date AS day,
                    \(schema.nowhere(in: RowTable.uc, as: "concern", "concern.qls_unit_id = produced.qls_unit_id"))
                    AS is_clean
                FROM \(schema.produced) AS produced
            ) AS passed
            GROUP BY 1
            """
        },
        WorkshopView(name: "unit_totals", columns: ["zone_id", "units"]) { schema in schema.totals(of: .ucp) },
    ]

    private static let concernViews = [
        WorkshopView(name: "tile_nok", columns: ["day", "units"]) { schema in
            """
            SELECT nok.day, count(*)
            FROM \(schema.nok) AS nok
            GROUP BY 1
            """
        },
        WorkshopView(name: "tile_nok_per_zone", columns: ["day", "zone_charged_id", "units"]) { schema in
            schema.nok(by: "zone_charged_id")
        },
        WorkshopView(name: "tile_not_ok_by_cp", columns: ["day", "collection_point_id", "units"]) { schema in
            schema.nok(by: "collection_point_id")
        },
        WorkshopView(name: "tile_concerns_per_hour", columns: ["day", "hour", "units"]) { schema in
            """
            SELECT concern.day, concern.hour, count(*)
            FROM (
                SELECT unit_collection_pt_timestamp::date AS day,
                    extract(hour FROM unit_collection_pt_timestamp)::integer AS hour, qls_unit_id
                FROM \(schema.qualified("uc"))
                GROUP BY 1, 2, 3
            ) AS concern
            GROUP BY 1, 2
            """
        },
        WorkshopView(name: "fail_totals", columns: ["zone_charged_id", "units"]) { schema in schema.totals(of: .uc) },
    ]

    // MARK: Parts of the queries

    /// The condition that no row, settled or recent, meets `condition`.
    private func nowhere(in table: RowTable, as alias: String, _ condition: String) -> String {
        """
        (NOT EXISTS (SELECT FROM \(qualified(table.settled)) AS \(alias) WHERE \(condition))
            AND NOT EXISTS (SELECT FROM ONLY \(qualified(table.name)) AS \(alias) WHERE \(condition)))
        """
    }

    /// The condition that one row of a unit comes before another: by time, and for equal times by where they are
    /// stored, so that exactly one row is the first.
    private func isEarlier(_ earlier: String, than row: String) -> String {
        """
        \(earlier).qls_unit_id = \(row).qls_unit_id
            AND (\(earlier).unit_collection_pt_timestamp, \(earlier).tableoid, \(earlier).ctid)
                < (\(row).unit_collection_pt_timestamp, \(row).tableoid, \(row).ctid)
        """
    }

    /// The produced units: qls_unit_id, moment (of the first passage at the last collection point).
    private var produced: String {
        let isLast = "collection_point_id = \(Self.lastCollectionPoint)"
        return """
            (
                SELECT passage.qls_unit_id, passage.unit_collection_pt_timestamp AS moment
                FROM \(qualified("ucp")) AS passage
                WHERE passage.\(isLast) AND \(nowhere(
                    in: .ucp, as: "earlier", "earlier.\(isLast) AND \(isEarlier("earlier", than: "passage"))"))
            )
            """
    }

    private var producedPerHour: String {
        """
        SELECT produced.moment::date, extract(hour FROM produced.moment)::integer, count(*)
        FROM \(produced) AS produced
        GROUP BY 1, 2
        """
    }

    /// The NOK units: qls_unit_id, day (of the first concern).
    private var nok: String {
        let isProduced =
            "produced.qls_unit_id = concern.qls_unit_id "
            + "AND produced.collection_point_id = \(Self.lastCollectionPoint)"
        return """
            (
                SELECT concern.qls_unit_id, concern.unit_collection_pt_timestamp::date AS day
                FROM \(qualified("uc")) AS concern
                WHERE \(nowhere(in: .uc, as: "earlier", isEarlier("earlier", than: "concern")))
                    AND \(nowhere(in: .ucp, as: "produced", isProduced))
            )
            """
    }

    /// NOK units by day and by a column of their concerns.
    private func nok(by column: String) -> String {
        func concerns(of table: String) -> String {
            "SELECT nok.day, uc.\(column), uc.qls_unit_id FROM \(nok) AS nok "
                + "JOIN \(table) AS uc ON uc.qls_unit_id = nok.qls_unit_id"
        }
        return """
            SELECT concern.day, concern.\(column), count(*)
            FROM (
                SELECT every.day, every.\(column), every.qls_unit_id
                FROM (
                    \(concerns(of: qualified(RowTable.uc.settled)))
                    UNION ALL
                    \(concerns(of: "ONLY \(qualified("uc"))"))
                ) AS every
                GROUP BY 1, 2, 3
            ) AS concern
            GROUP BY 1, 2
            """
    }

    /// The distinct units of each zone over all days: those counted when their rows were settled, plus those of recent
    /// rows that are not among them.
    ///
    /// While the counts are invalid, a function counts all rows. Without the function the planner would consider the
    /// query expensive, and compile it for half a second.
    private func totals(of table: RowTable) -> String {
        let zone = table.zoneColumn
        let isCounted =
            "coalesce((SELECT is_counted FROM \(qualified(RowTable.stateTable)) WHERE source = '\(table.name)'), false)"
        return """
            SELECT total.zone, sum(total.units)::bigint
            FROM (
                SELECT zone_id AS zone, units::bigint
                FROM \(qualified(RowTable.unitTable))
                WHERE source = '\(table.name)' AND \(isCounted)
                UNION ALL
                SELECT recent.\(zone), count(*)
                FROM (
                    SELECT \(zone), qls_unit_id FROM ONLY \(qualified(table.name)) GROUP BY 1, 2
                ) AS recent
                WHERE \(isCounted) AND NOT EXISTS (
                    SELECT FROM \(qualified(RowTable.unitTable)) AS counted
                    WHERE counted.source = '\(table.name)' AND counted.zone_id = recent.\(zone)
                        AND counted.block = \(RowTable.block(of: "recent.qls_unit_id"))
                        AND get_bit(counted.members, \(RowTable.place(of: "recent.qls_unit_id"))) = 1
                )
                GROUP BY 1
                UNION ALL
                SELECT anew.zone, anew.units FROM \(qualified(table.countFunction))() AS anew
                WHERE NOT \(isCounted)
            ) AS total
            GROUP BY 1
            """
    }
}
