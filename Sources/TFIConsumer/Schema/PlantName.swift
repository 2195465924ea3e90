/// The name of a plant in a schema with several plants. It prefixes the names of the plant's tables and views, as in
/// `north_ucp`.
///
/// It needs no quotes in SQL, and is short enough for the longest index name.
struct PlantName: Sendable, Equatable {
    let text: String

    static let longest = 24

    /// - Returns: Nil unless the text consists of lower-case letters, digits and underscores, beginning with a letter.
    init?(_ text: String) {
        let isName = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): true
            default: false
            }
        }
        guard isName, text.utf8.count <= Self.longest, let first = text.utf8.first, first >= UInt8(ascii: "a") else {
            return nil
        }
        self.text = text
    }

    /// The name of a plant's table or view.
    static func name(_ name: String, of plant: PlantName?) -> String { plant.map { "\($0.text)_\(name)" } ?? name }
}
