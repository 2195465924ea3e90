extension Sequence where Element: CustomStringConvertible {
    /// The first three elements, and the number of the others, for a message.
    var briefly: String {
        let all = map(\.description).sorted()
        let first = all.prefix(3).joined(separator: ", ")
        return all.count > 3 ? "\(first) and \(all.count - 3) more" : first
    }
}
