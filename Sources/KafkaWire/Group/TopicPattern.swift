/// A regular expression for whole topic names, as a member of a classic group matches it
/// (``Subscription/pattern(_:)``).
public struct TopicPattern {
    /// The largest number of opening brackets and parentheses in a pattern.
    ///
    /// The standard library's parser of regular expressions is recursive and takes about 3 KiB of the stack for each
    /// bracket: 3,000 nested ones exhaust 8 MiB.
    public static let maximumGroups = 250

    private let regex: Regex<AnyRegexOutput>

    /// Compiles a pattern.
    ///
    /// - Returns: Nil if the text is not a regular expression, or has more than ``maximumGroups`` groups.
    public init?(_ pattern: String) {
        guard Self.groupCount(pattern) <= Self.maximumGroups, let regex = try? Regex(pattern) else { return nil }
        self.regex = regex
    }

    /// Whether the pattern matches the whole name.
    public func matches(_ topic: String) -> Bool { (try? regex.wholeMatch(in: topic)) != nil }

    /// The number of opening brackets and parentheses.
    public static func groupCount(_ pattern: String) -> Int {
        pattern.utf8.count { $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "(") }
    }
}
