/// Text as a UTF-8 database stores it.
public enum PostgresText {
    /// Escapes characters by doubling them, or by putting another character such as a backslash before them.
    ///
    /// Works by code point: a quote after U+0600, for example, isn't a `Character` of its own, so replacing characters
    /// would miss it.
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

    /// A quoted identifier in SQL that is shown to users. For SQL that is sent to a server use
    /// ``PostgresSession/quoted(_:)``.
    public static func quotedIdentifier(_ name: String) -> String { "\"\(escaping(["\""], in: name))\"" }

    /// Whether bytes are valid UTF-8 without NUL, so that a text column can store them.
    public static func isStorable(_ bytes: RawSpan) -> Bool {
        let units = Span<UInt8>(_bytes: bytes)
        guard let text = try? UTF8Span(validating: units) else { return false }
        for index in text.span.indices where text.span[index] == 0 { return false }
        return true
    }
}
