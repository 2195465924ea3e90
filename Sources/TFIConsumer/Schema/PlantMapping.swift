import IngestEngine
import PGWire

/// The mapping of the plant's messages: one route for each kind of message, selected by the record's key. The columns
/// have the names of the fields.
enum PlantMapping {
    /// The key and the table of each kind of message. The more frequent kind comes first, since records are matched
    /// against the routes in this order.
    static let tables = [(key: "unit_collection_point", table: "ucp"), (key: "unit_concern", table: "uc")]

    /// Creates the mapping.
    ///
    /// - Parameters:
    ///   - topic: The topic's name.
    ///   - schema: The schema of the tables, as the catalog spells it.
    ///   - plant: The plant that sends the messages, if the schema has several; nil if it has one.
    static func mapping(topic: String, schema: String, plant: PlantName? = nil) -> Mapping {
        Mapping(
            routes: tables.map { key, table in
                Route(
                    topic: .name(topic), conditions: [.key(key)],
                    table: TableName(schema: schema, table: PlantName.name(table, of: plant)))
            })
    }
}
