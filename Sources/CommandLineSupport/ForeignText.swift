/// Text from elsewhere (names, error messages, file contents), made safe to show on a terminal.
///
/// Escapes what a terminal could take for a command, and what changes the order in which text is shown: C0 and C1
/// controls, DEL, line and paragraph separators, and Unicode's bidirectional controls (UAX #9). A byte is written as
/// `\x1b`, any other scalar as `\u{202e}`. Backslashes stay, so text may be escaped twice. Invalid UTF-8 became U+FFFD
/// when the `String` was made of it.
///
/// `Output` and `StatusLine` do this for every `String`; only bytes are written as they are.
public enum ForeignText {
    /// Escapes a text.
    ///
    /// Takes time and memory in proportion to the text.
    ///
    /// - Parameter keepingLayout: Whether line feeds and tabs stay. Without them the text is one line, as a cell of a
    ///   table or a message has to be.
    public static func visible(_ text: String, keepingLayout: Bool = false) -> String {
        guard !text.utf8.allSatisfy({ 0x20...0x7e ~= $0 }) else { return text }
        var shown = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if keepingLayout && (scalar == "\n" || scalar == "\t") || !isHidden(scalar) {
                shown.append(scalar)
            } else {
                shown.append(contentsOf: escaped(scalar).unicodeScalars)
            }
        }
        return String(shown)
    }

    /// Whether a scalar has to be escaped, in JSON too: those here are all below U+10000.
    public static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7f..<0xa0, 0x061c, 0x200e...0x200f, 0x2028...0x202e, 0x2066...0x2069: true
        default: false
        }
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16)
        return switch scalar {
        case "\n": "\\n"
        case "\r": "\\r"
        case "\t": "\\t"
        case _ where scalar.value < 0x80: "\\x" + (digits.utf8.count < 2 ? "0" : "") + digits
        default: "\\u{\(digits)}"
        }
    }
}
