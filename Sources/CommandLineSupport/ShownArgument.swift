/// An argument or value that isn't what was expected, as an error may show it: in quotes if it can't be a secret.
///
/// A connection URI or a password in the wrong place must not end up in a log or on a screen. So only short words are
/// shown: letters, digits, and `. - _ ,` among them.
///
/// - Returns: `'4x'`, or `what was given`.
package func shownArgument(_ text: String) -> String {
    isPlainWord(text) || text.isEmpty ? "'\(text)'" : "what was given"
}

/// Whether the text is a short word that can be the name of a command or option.
func isPlainWord(_ text: String) -> Bool {
    (1...32).contains(text.utf8.count)
        && text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: ","):
                true
            default: false
            }
        }
}
