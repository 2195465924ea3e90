/// The views as tfi-consumer 0.1.0 created them, without recording their definitions. A view that still has one of
/// these definitions was not changed by hand, so `init` replaces it.
extension WorkshopSchema {
    static let firstViews = firstProductionViews + firstConcernViews + unchangedViews

    /// The views that have not changed since then. If you change one, keep its first text here.
    private static let unchangedViews = views.filter { view in
        ["tile_units_per_zone", "tile_concerns_per_hour"].contains(view.name)
    }

    private static let firstProductionViews = [
        WorkshopView(name: "tile_total", columns: ["day", "units"]) { schema in
            """
            SELECT produced.moment::date, count(*)
            FROM \(schema.firstProduced) AS produced
            GROUP BY 1
            """
        },
        WorkshopView(name: "tile_units_per_hour", columns: ["day", "hour", "units"]) { schema in
            schema.firstProducedPerHour
        },
        // The rows go from the plan's first hour (or an earlier unit) to the last hour in which a unit was produced. An
        // hour without a unit repeats the total, and later hours have no row. The plan is a running total, too: it
        // holds until its next hour.
        WorkshopView(name: "tile_current_production", columns: ["day", "hour", "units", "plan"]) { schema in
            """
            WITH per_hour (day, hour, units) AS (
            \(schema.firstProducedPerHour)
            ), span AS (
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
        WorkshopView(name: "tile_throughput", columns: ["day", "produced", "without_concern", "share"]) { schema in
            """
            SELECT produced.moment::date, count(*), count(*) FILTER (WHERE concerned.qls_unit_id IS NULL),
                count(*) FILTER (WHERE concerned.qls_unit_id IS NULL)::double precision / count(*)
            FROM \(schema.firstProduced) AS produced
            LEFT JOIN (
                SELECT qls_unit_id FROM \(schema.qualified("uc")) GROUP BY qls_unit_id
            ) AS concerned ON concerned.qls_unit_id = produced.qls_unit_id
            GROUP BY 1
            """
        },
        WorkshopView(name: "unit_totals", columns: ["zone_id", "units"]) { schema in
            """
            SELECT visit.zone_id, count(*)
            FROM (
                SELECT zone_id, qls_unit_id FROM \(schema.qualified("ucp")) GROUP BY 1, 2
            ) AS visit
            GROUP BY 1
            """
        },
    ]

    private static let firstConcernViews = [
        WorkshopView(name: "tile_nok", columns: ["day", "units"]) { schema in
            """
            SELECT nok.day, count(*)
            FROM \(schema.firstNOK) AS nok
            GROUP BY 1
            """
        },
        WorkshopView(name: "tile_nok_per_zone", columns: ["day", "zone_charged_id", "units"]) { schema in
            schema.firstNOK(by: "zone_charged_id")
        },
        WorkshopView(name: "tile_not_ok_by_cp", columns: ["day", "collection_point_id", "units"]) { schema in
            schema.firstNOK(by: "collection_point_id")
        },
        WorkshopView(name: "fail_totals", columns: ["zone_charged_id", "units"]) { schema in
            """
            SELECT concern.zone_charged_id, count(*)
            FROM (
                SELECT zone_charged_id, qls_unit_id FROM \(schema.qualified("uc")) GROUP BY 1, 2
            ) AS concern
            GROUP BY 1
            """
        },
    ]

    // MARK: Parts of the queries

    /// The produced units: qls_unit_id, moment (of the first passage at the last collection point).
    private var firstProduced: String {
        """
        (
            SELECT qls_unit_id, min(unit_collection_pt_timestamp) AS moment
            FROM \(qualified("ucp"))
            WHERE collection_point_id = \(Self.lastCollectionPoint)
            GROUP BY qls_unit_id
        )
        """
    }

    private var firstProducedPerHour: String {
        """
        SELECT produced.moment::date, extract(hour FROM produced.moment)::integer, count(*)
        FROM \(firstProduced) AS produced
        GROUP BY 1, 2
        """
    }

    /// The NOK units: qls_unit_id, day (of the first concern).
    private var firstNOK: String {
        """
        (
            SELECT uc.qls_unit_id, min(uc.unit_collection_pt_timestamp)::date AS day
            FROM \(qualified("uc")) AS uc
            WHERE NOT EXISTS (
                SELECT FROM \(qualified("ucp")) AS ucp
                WHERE ucp.qls_unit_id = uc.qls_unit_id AND ucp.collection_point_id = \(Self.lastCollectionPoint)
            )
            GROUP BY uc.qls_unit_id
        )
        """
    }

    /// NOK units by day and by a column of their concerns.
    private func firstNOK(by column: String) -> String {
        """
        SELECT concern.day, concern.\(column), count(*)
        FROM (
            SELECT nok.day, uc.\(column), uc.qls_unit_id
            FROM \(firstNOK) AS nok
            JOIN \(qualified("uc")) AS uc ON uc.qls_unit_id = nok.qls_unit_id
            GROUP BY 1, 2, 3
        ) AS concern
        GROUP BY 1, 2
        """
    }
}
