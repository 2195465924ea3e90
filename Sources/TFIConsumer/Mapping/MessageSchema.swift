/// A kind of message: the key that it comes with, the table that it goes to, and the fields that its JSON has.
///
/// The fields' names are the columns' names, in the table's order. To take in another kind of message, or another
/// field, is a change here and in `WorkshopSchema`.
struct MessageSchema: Sendable {
    enum FieldType: Sendable {
        /// A whole number that fits `integer`.
        case int4
        /// A text `yyyy-MM-dd HH:mm:ss[.ffffff]` without a zone, for `timestamp`.
        case timestamp
    }

    struct Field: Sendable {
        let name: String
        let type: FieldType
        /// The name as it stands in JSON, quotes included: what is compared first.
        let quotedName: ShortText

        init(_ name: String, _ type: FieldType) {
            self.name = name
            self.type = type
            quotedName = ShortText("\"\(name)\"")
        }
    }

    let key: ShortText
    let table: String
    let fields: [Field]

    /// The bytes of a row in binary COPY, without the count of its columns.
    let rowSize: Int

    init(key: String, table: String, fields: [Field]) {
        self.key = ShortText(key)
        self.table = table
        self.fields = fields
        rowSize = fields.reduce(0) { size, field in
            switch field.type {
            case .int4: size + 8
            case .timestamp: size + 12
            }
        }
    }

    /// The kinds that the plant sends. The more frequent one stands first, since keys are compared in this order.
    static let all = [
        MessageSchema(
            key: "unit_collection_point", table: "ucp",
            fields: [
                Field("qls_unit_id", .int4), Field("unit_collection_pt_timestamp", .timestamp),
                Field("collection_point_id", .int4), Field("zone_id", .int4),
            ]),
        MessageSchema(
            key: "unit_concern", table: "uc",
            fields: [
                Field("qls_unit_id", .int4), Field("unit_collection_pt_timestamp", .timestamp),
                Field("collection_point_id", .int4), Field("concern_id", .int4), Field("zone_charged_id", .int4),
            ]),
    ]
}
