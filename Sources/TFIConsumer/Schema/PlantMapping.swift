import IngestEngine
import PGWire

/// The plant's messages as a mapping: one route for each kind, selected by the record's key, whose columns have the
/// names of the fields.
enum PlantMapping {
    /// The key of each kind of message and its table. The more frequent one stands first, since a record is compared
    /// with the routes in this order.
    static let tables = [(key: "unit_collection_point", table: "ucp"), (key: "unit_concern", table: "uc")]

    /// - Parameters:
    ///   - topic: The topic's name.
    ///   - schema: The schema of the tables, as the catalog spells it.
    ///   - plant: Which of several plants of the schema sends them; nil for the only one.
    static func mapping(topic: String, schema: String, plant: PlantName? = nil) -> Mapping {
        Mapping(
            routes: tables.map { key, table in
                Route(
                    topic: .name(topic), conditions: [.key(key)],
                    table: TableName(schema: schema, table: PlantName.name(table, of: plant)))
            })
    }
}
