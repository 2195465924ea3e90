/// The name of one of several plants whose tables and views are in one schema: theirs begin with it, as in `north_ucp`.
///
/// It needs no quotes in SQL, and leaves room for the longest name of a table's index.
struct PlantName: Sendable, Equatable {
    let text: String

    static let longest = 24

    /// - Returns: Nil for a text that isn't of small letters, digits and underscores, with a letter first.
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

    /// The name that a table or view of a plant has.
    static func name(_ name: String, of plant: PlantName?) -> String { plant.map { "\($0.text)_\(name)" } ?? name }
}
