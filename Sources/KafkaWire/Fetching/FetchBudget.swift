/// How many bytes one response of a broker may hold. Shrinks while responses don't arrive complete, and grows back.
///
/// A connection that is cut again and again after a short time would otherwise never carry a whole response.
struct FetchBudget: Sendable {
    private static let smallest = 1024
    /// How many responses with records in a row let the limit grow again.
    private static let responsesToGrow = 8

    private(set) var limit: Int
    /// `fetch.max.bytes`, or less if the client refuses responses of that length.
    private var maximum: Int
    private var completed = 0

    init(_ maximum: Int) {
        self.maximum = maximum
        limit = maximum
    }

    /// A response of this length didn't arrive complete.
    mutating func cutOff(length: Int) {
        limit = max(min(Self.smallest, maximum), min(limit, length) / 2)
        completed = 0
    }

    /// A response was longer than `receive.message.max.bytes`.
    mutating func exceeded(allowed: Int) {
        maximum = max(1, min(maximum, allowed / 2))
        limit = min(limit, maximum)
        completed = 0
    }

    /// A response with records arrived.
    mutating func succeeded() {
        guard limit < maximum else { return }
        completed += 1
        guard completed == Self.responsesToGrow else { return }
        limit = limit > maximum / 2 ? maximum : limit * 2
        completed = 0
    }
}
