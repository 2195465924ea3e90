/// Mentions command line arguments in errors without ever repeating a misplaced secret.
///
/// - The value of an option or a setting is never shown. The error says what is expected instead.
/// - An unexpected operand is never shown. The error gives its position.
/// - A name or a path is shown unless it may contain a secret.
///
/// `SecretFilter` is the safeguard for texts from elsewhere, such as a broker's error that repeats a value.
public enum ShownArgument {
    static let hidden = "(not shown, it may hold a secret)"

    /// A name or path for use in a sentence.
    public static func name(_ text: String) -> String { mayHoldSecret(text) ? hidden : text }

    /// A quoted name for use in a sentence.
    public static func quoted(_ text: String) -> String { mayHoldSecret(text) ? hidden : "'\(text)'" }

    /// An unknown option's name with its dashes, if it is a short word like the names of options.
    public static func option(_ name: String) -> String { isPlainWord(name) ? "--\(name)" : "of that name \(hidden)" }

    /// An argument by its position on the command line, such as "the 3rd argument".
    ///
    /// - Parameter position: The position from 1, without the program's name.
    public static func argument(_ position: Int) -> String { "the \(Numbers.ordinal(position)) argument" }

    /// Says that an argument is unexpected, without showing it.
    public static func unexpected(_ position: Int) -> String { "\(argument(position)) is unexpected \(hidden)" }

    /// Whether a text may contain a secret: it has an `@` like an address with a login, is a URI, or mentions a
    /// password.
    ///
    /// Compares bytes: a combining mark after a character makes it another `Character`.
    static func mayHoldSecret(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return bytes.contains(UInt8(ascii: "@")) || bytes.contains(Array("://".utf8))
            || bytes.map { $0 | 0x20 }.contains(Array("password".utf8))
    }

    /// Whether a text is a URI or has a login before a host: `user:password@host`. No name in Kafka or Postgres looks
    /// like that, so such a text in place of a name is a mistake.
    public static func isAddress(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        if bytes.contains(Array("://".utf8)) { return true }
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else { return false }
        return bytes[colon...].contains(UInt8(ascii: "@"))
    }
}

/// Whether a text is a short word that could be the name of an option.
public func isPlainWord(_ text: String) -> Bool {
    (1...32).contains(text.utf8.count)
        && text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
}
