/// What the server takes as text in a UTF-8 database.
public enum PostgresText {
    /// A text with each of some characters twice or behind a backslash, as quoting wants it.
    ///
    /// By code points: a quote that follows U+0600, for example, is no `Character` of its own, and replacing characters
    /// would leave it as it is.
    public static func escaping(_ special: Set<Unicode.Scalar>, in text: String, with escape: Unicode.Scalar? = nil)
        -> String
    {
        var escaped = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if special.contains(scalar) { escaped.append(escape ?? scalar) }
            escaped.append(scalar)
        }
        return String(escaped)
    }

    /// An identifier in quotes, for SQL that is shown to people. What is sent to a server is quoted by
    /// ``PostgresSession/quoted(_:)``.
    public static func quotedIdentifier(_ name: String) -> String { "\"\(escaping(["\""], in: name))\"" }

    /// Whether `bytes` are valid UTF-8 and without NUL, so that a text column can hold them.
    public static func isStorable(_ bytes: RawSpan) -> Bool {
        let units = Span<UInt8>(_bytes: bytes)
        guard let text = try? UTF8Span(validating: units) else { return false }
        for index in text.span.indices where text.span[index] == 0 { return false }
        return true
    }
}
