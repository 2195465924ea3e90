import CommandLineSupport

/// kcat's escape sequences: `\n`, `\r`, `\t`, `\0`, `\\` and `\xHH`.
enum Escapes {
    /// - Throws: A failure of status `usage` that names the option.
    static func bytes(of text: String, option: String) throws(Failure) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            bytes.append(byte == UInt8(ascii: "\\") ? try escaped(&rest, option) : byte)
        }
        return bytes
    }

    /// Reads the rest of an escape sequence after its backslash.
    static func escaped(_ rest: inout Substring.UTF8View, _ option: String) throws(Failure) -> UInt8 {
        switch rest.popFirst() {
        case UInt8(ascii: "n"): return UInt8(ascii: "\n")
        case UInt8(ascii: "r"): return UInt8(ascii: "\r")
        case UInt8(ascii: "t"): return UInt8(ascii: "\t")
        case UInt8(ascii: "0"): return 0
        case UInt8(ascii: "\\"): return UInt8(ascii: "\\")
        case UInt8(ascii: "x"):
            guard let byte = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16), rest.count >= 2 else {
                throw Failure("\(option): \\x must be followed by two hexadecimal digits", status: .usage)
            }
            rest = rest.dropFirst(2)
            return byte
        default:
            throw Failure(
                "\(option) has an unknown escape: use \\n, \\r, \\t, \\0, \\\\ or \\xHH", status: .usage)
        }
    }
}
