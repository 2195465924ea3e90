/// Regular expressions for the names of topics.
package enum TopicPattern {
    /// The most opening brackets and parentheses of a pattern. The standard library's parser of regular expressions is
    /// recursive and takes about 3 KiB of the stack for each bracket: 3,000 inside each other exhaust 8 MiB.
    package static let maximumGroups = 250

    package static func groupCount(_ pattern: String) -> Int {
        pattern.utf8.count { $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "(") }
    }

    /// - Returns: Nil for a text that is no regular expression, or has too many groups.
    package static func regex(_ pattern: String) -> Regex<AnyRegexOutput>? {
        guard groupCount(pattern) <= maximumGroups else { return nil }
        return try? Regex(pattern)
    }
}
