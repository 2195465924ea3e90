/// A message of the plant: a unit passes a collection point, or a quality concern about a unit.
struct PlantMessage: Equatable, Sendable {
    enum Kind: Int, CaseIterable, Sendable {
        case passage
        case concern

        /// The message's key in Kafka.
        var key: String {
            switch self {
            case .passage: "unit_collection_point"
            case .concern: "unit_concern"
            }
        }

        /// The value's members, in the order of the columns of the plant's files.
        var columns: [Column] {
            switch self {
            case .passage: [.unit, .timestamp, .collectionPoint, .zone]
            case .concern: [.unit, .timestamp, .collectionPoint, .concern, .zoneCharged]
            }
        }
    }

    enum Column: String, Sendable {
        case unit = "qls_unit_id"
        case timestamp = "unit_collection_pt_timestamp"
        case collectionPoint = "collection_point_id"
        case zone = "zone_id"
        case concern = "concern_id"
        case zoneCharged = "zone_charged_id"
    }

    var kind: Kind
    var unit: Int32
    var timestamp: PlantTimestamp
    var collectionPoint: Int32
    /// The zone of a passage, or the zone to which a concern is charged.
    var zone: Int32
    /// The kind of concern; 0 for a passage.
    var concern: Int32 = 0
}

/// A finite or endless sequence of messages.
protocol MessageSource: Sendable {
    /// The total number of messages; nil if they never end.
    var count: Int? { get }
    /// The number of intervals that a paced sender waits before the next message.
    var spacing: Int { get }
    mutating func next() -> PlantMessage?
}

extension MessageSource {
    var spacing: Int { 1 }
}
