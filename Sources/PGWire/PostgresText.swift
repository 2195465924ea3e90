/// What the server takes as text in a UTF-8 database.
public enum PostgresText {
    /// Whether `bytes` are valid UTF-8 and without NUL, so that a text column can hold them.
    public static func isStorable(_ bytes: RawSpan) -> Bool {
        let units = Span<UInt8>(_bytes: bytes)
        guard let text = try? UTF8Span(validating: units) else { return false }
        for index in text.span.indices where text.span[index] == 0 { return false }
        return true
    }
}
