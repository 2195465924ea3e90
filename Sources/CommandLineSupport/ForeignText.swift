/// Makes text from elsewhere (names, error messages, file contents) safe to show on a terminal.
///
/// Escapes characters that a terminal could interpret as a command or that change the order of text: C0 and C1
/// controls, DEL, line and paragraph separators, and Unicode's bidirectional controls (UAX #9). ASCII controls are
/// written as `\x1b`, other scalars as `\u{202e}`. Backslashes aren't escaped, so text may be escaped twice. Invalid
/// UTF-8 was replaced by U+FFFD when the `String` was created.
///
/// `Output` and `StatusLine` escape every `String`; only bytes are written unchanged.
public enum ForeignText {
    /// Escapes a text, in time and memory proportional to its length.
    ///
    /// - Parameter keepingLayout: Whether to keep line feeds and tabs. If false the result is one line, as needed in a
    ///   table cell or a message.
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

    /// Whether a scalar must be escaped, in JSON too. All such scalars are below U+10000.
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
