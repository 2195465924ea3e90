/// Formats PEM blocks (RFC 7468) as OpenSSL requires.
///
/// In a properties file a certificate may be on a single line, with blanks or nothing in place of its line ends. Kafka's
/// Java clients accept that (KIP-651).
enum PEMText {
    /// The text with each block's base64 in lines of 64 letters. Blocks with headers, such as keys in the older encrypted
    /// format, are unchanged, and so is text between blocks.
    static func normalized(_ text: String) -> String {
        var result = ""
        var rest = text[...]
        while let begin = rest.firstRange(of: "-----BEGIN "),
            let label = rest[begin.upperBound...].firstRange(of: "-----"),
            let end = rest[label.upperBound...].firstRange(of: "-----END "),
            let close = rest[end.upperBound...].firstRange(of: "-----")
        {
            let body = rest[label.upperBound..<end.lowerBound]
            result += rest[..<begin.lowerBound]
            if !result.isEmpty, result.last != "\n" { result += "\n" }
            result += rest[begin.lowerBound..<label.upperBound] + "\n"
            if body.contains(":") {
                result += body.drop(while: \.isNewline)
            } else {
                var letters = body.filter { !$0.isWhitespace }[...]
                while !letters.isEmpty {
                    result += letters.prefix(64) + "\n"
                    letters = letters.dropFirst(64)
                }
            }
            result += rest[end.lowerBound..<close.upperBound] + "\n"
            rest = rest[close.upperBound...]
        }
        return result + rest
    }
}
