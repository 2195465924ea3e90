import KafkaWire
import PGWire

@testable import IngestEngine

/// A plan with two routes of topic `t`, for tests of batches.
enum SamplePlan {
    /// A message for the first route.
    static let reading = #"{"id":7,"at":"2024-03-12 08:00:06.1","value":34}"#
    /// The partition of the records that `recordBatch` makes.
    static let place = TopicPartition(topic: "t", partition: 3)

    static let plan = IngestPlan([
        route(
            [.key("machine_reading")], "reading",
            [
                column("id", .int4, isNotNull: true), column("at", .timestamp(precision: 6), isNotNull: true),
                column("value", .int4),
            ]),
        route([.key("alarm")], "alarm", [column("code", .int4, isNotNull: true), column("length", .interval)]),
    ])

    static func column(
        _ name: String, _ type: ColumnType, _ source: Route.Source? = nil, isNotNull: Bool = false
    ) -> RowPlan.Column {
        RowPlan.Column(
            name: name, type: type, source: source ?? .path(JSONPath(steps: [.field(name)])), isNotNull: isNotNull)
    }

    static func route(
        _ conditions: [Route.Condition], _ table: String, _ columns: [RowPlan.Column],
        topic: TopicSelector = .name("t")
    ) -> BoundRoute {
        let name = TableName(schema: "s", table: table)
        return BoundRoute(
            route: Route(topic: topic, conditions: conditions, table: name),
            table: TableShape(
                name: name,
                columns: columns.map { TableShape.Column(name: $0.name, type: $0.type, isNotNull: $0.isNotNull) }),
            plan: RowPlan(columns: columns), mode: .append, leftToDefault: [])
    }
}

extension IngestPlan {
    /// A plan that needs no database.
    init(_ routes: [BoundRoute], unrouted: Mapping.Unrouted = .deadLetter) {
        self.init(routes, unrouted: unrouted, quote: PostgresText.quotedIdentifier)
    }
}
