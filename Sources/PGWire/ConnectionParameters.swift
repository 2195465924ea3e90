import CPQ

/// Keywords and values for libpq, checked so that its error messages can't reveal a password.
///
/// Source: PostgreSQL manual, "Parameter Key Words" and "Connection Strings".
struct ConnectionParameters {
    private(set) var pairs: [(keyword: String, value: String)]

    /// - Parameters:
    ///   - uri: A URI, key=value pairs, or a database name; nil to use only the environment.
    ///   - options: Parameters that take precedence over the URI's.
    ///   - defaults: Parameters that apply if the URI doesn't set them.
    init(
        uri: String?, options: [String: String], defaults: [String: String] = [:], applicationName: String?
    ) throws(PostgresError) {
        // A vanished server is detected after 10 + 3 × 5 seconds of silence.
        pairs = [
            ("keepalives", "1"), ("keepalives_idle", "10"), ("keepalives_interval", "5"), ("keepalives_count", "3"),
            ("tcp_user_timeout", "25000"),
        ]
        for (keyword, value) in defaults.sorted(by: { $0.key < $1.key }) { pairs.append((keyword, value)) }
        if let applicationName { pairs.append(("fallback_application_name", applicationName)) }
        if let uri {
            try Self.check(uri)
            pairs.append(("dbname", uri))
        }
        for (keyword, value) in options.sorted(by: { $0.key < $1.key }) { pairs.append((keyword, value)) }
        pairs.append(("client_encoding", "UTF8"))
        for pair in pairs where pair.keyword.utf8.contains(0) || pair.value.utf8.contains(0) {
            throw PostgresError(.usage, "A connection parameter contains a NUL character")
        }
    }

    private static func isURI(_ string: String) -> Bool {
        string.utf8.starts(with: "postgresql://".utf8) || string.utf8.starts(with: "postgres://".utf8)
    }

    /// Refuses strings that libpq would misparse and then quote in its error message, including the password.
    ///
    /// Compares bytes, as libpq does: a character followed by a combining mark is a different `Character`.
    private static func check(_ uri: String) throws(PostgresError) {
        func has(_ sign: Character, in text: String) -> Bool { text.utf8.contains(sign.asciiValue ?? 0) }
        guard isURI(uri) || has("=", in: uri) else {
            // A database name that doesn't look like a mistyped URI.
            if !has("/", in: uri), !has("@", in: uri), !has(":", in: uri) { return }
            throw unreadable("it must begin with postgresql:// or consist of key=value pairs")
        }
        let keyword = uri.unicodeScalars.prefix { $0 != "=" }
        guard
            isURI(uri) || keyword.allSatisfy({ $0.properties.isAlphabetic || $0.properties.isWhitespace || $0 == "_" })
        else { throw unreadable("it must begin with postgresql:// or consist of key=value pairs") }
        let values = try parse(uri)
        guard isURI(uri) else { return }
        // For libpq a slash in a password ends the host, and the rest is read as the database name.
        let hasCredentials = values["user"] != nil || values["password"] != nil
        let isMisread = !hasCredentials && has("@", in: values["dbname"] ?? "")
        guard !isMisread, !has("@", in: values["host"] ?? "") else {
            throw unreadable("special characters in the user name or password must be percent-encoded")
        }
        for port in (values["port"] ?? "").split(separator: ",") where UInt16(port) ?? 0 == 0 {
            throw unreadable("the port isn't a number from 1 to 65535")
        }
    }

    private static func unreadable(_ reason: String) -> PostgresError {
        PostgresError(.usage, "The connection string can't be read: \(reason)")
    }

    /// The parameters set by a connection string.
    private static func parse(_ uri: String) throws(PostgresError) -> [String: String] {
        // libpq owns the list and the message until they are freed below.
        var message: UnsafeMutablePointer<CChar>?
        guard let list = unsafe PQconninfoParse(uri, &message) else {
            let text = unsafe message.map { unsafe String(cString: $0) } ?? ""
            unsafe PQfreemem(message)
            throw unreadable(beforeQuotation(text))
        }
        defer { unsafe PQconninfoFree(list) }
        return unsafe settings(list)
    }

    /// The values that are set in a list of libpq's parameters.
    @unsafe static func settings(_ list: UnsafeMutablePointer<PQconninfoOption>) -> [String: String] {
        var values: [String: String] = [:]
        var entry = unsafe list
        // An entry without a keyword ends the list.
        while let keyword = unsafe entry.pointee.keyword {
            if let value = unsafe entry.pointee.val { unsafe values[String(cString: keyword)] = String(cString: value) }
            unsafe entry += 1
        }
        return values
    }

    /// The start of libpq's message up to its first quotation of the connection string, which may contain the
    /// password.
    ///
    /// The form of the quotes depends on the message's language, and the quoted text may contain quotes, so nothing
    /// after it is shown.
    static func beforeQuotation(_ text: String) -> String {
        let bytes = Array(text.utf8)
        // These two messages quote one of libpq's own tokens before they quote the string.
        let openings = ["missing \"=\" after ", "end of string reached when looking for matching \"]\" in "]
        let opening = openings.first { bytes.starts(with: $0.utf8) }?.utf8.count ?? 0
        let shown = bytes[..<opening] + bytes[opening...].prefix { $0 < 0x80 && $0 != 0x22 && $0 != 0x27 }
        let words = String(decoding: shown, as: UTF8.self).split { $0.isWhitespace || $0 == ":" }
        return words.isEmpty ? "libpq doesn't understand it" : words.joined(separator: " ") + " …"
    }
}
