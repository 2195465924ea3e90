import CPQ

/// Keywords and values for libpq, checked so that its messages can't quote a password.
///
/// Source: PostgreSQL manual, "Parameter Key Words" and "Connection Strings".
struct ConnectionParameters {
    private(set) var pairs: [(keyword: String, value: String)]

    /// - Parameters:
    ///   - uri: A URI, key=value pairs, a database name, or nil for the environment alone.
    ///   - options: Further parameters, which win over the URI's.
    ///   - defaults: Further parameters, which the URI's win over.
    init(
        uri: String?, options: [String: String], defaults: [String: String] = [:], applicationName: String?
    ) throws(PostgresError) {
        // A server that vanished is noticed after 10 + 3 × 5 seconds of silence.
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

    /// Refuses what libpq would take apart wrongly, and then quote in its message, password and all.
    ///
    /// Looks at bytes, as libpq does: a sign with a combining mark behind it is another `Character`.
    private static func check(_ uri: String) throws(PostgresError) {
        func has(_ sign: Character, in text: String) -> Bool { text.utf8.contains(sign.asciiValue ?? 0) }
        guard isURI(uri) || has("=", in: uri) else {
            // A database name, which doesn't look like a URI with a slip of the pen.
            if !has("/", in: uri), !has("@", in: uri), !has(":", in: uri) { return }
            throw unreadable("it has to begin with postgresql:// or to be made of key=value pairs")
        }
        let keyword = uri.unicodeScalars.prefix { $0 != "=" }
        guard
            isURI(uri) || keyword.allSatisfy({ $0.properties.isAlphabetic || $0.properties.isWhitespace || $0 == "_" })
        else { throw unreadable("it has to begin with postgresql:// or to be made of key=value pairs") }
        let values = try parse(uri)
        guard isURI(uri) else { return }
        // A slash in a password ends the host for libpq, and the rest is taken for the database.
        let hasCredentials = values["user"] != nil || values["password"] != nil
        let isMisread = !hasCredentials && has("@", in: values["dbname"] ?? "")
        guard !isMisread, !has("@", in: values["host"] ?? "") else {
            throw unreadable("special characters in the user name or password have to be percent-encoded")
        }
        for port in (values["port"] ?? "").split(separator: ",") where UInt16(port) == nil {
            throw unreadable("the port isn't a number from 1 to 65535")
        }
    }

    private static func unreadable(_ reason: String) -> PostgresError {
        PostgresError(.usage, "The connection string can't be read: \(reason)")
    }

    /// The parameters that a connection string sets.
    private static func parse(_ uri: String) throws(PostgresError) -> [String: String] {
        // Both the list and the message belong to libpq until they are freed below.
        var message: UnsafeMutablePointer<CChar>?
        guard let list = unsafe PQconninfoParse(uri, &message) else {
            let text = unsafe message.map { unsafe String(cString: $0) } ?? ""
            unsafe PQfreemem(message)
            throw unreadable(beforeQuotation(text))
        }
        defer { unsafe PQconninfoFree(list) }
        return unsafe settings(list)
    }

    /// The values that are set in one of libpq's lists of parameters.
    @unsafe static func settings(_ list: UnsafeMutablePointer<PQconninfoOption>) -> [String: String] {
        var values: [String: String] = [:]
        var entry = unsafe list
        // The list ends with an entry without a keyword.
        while let keyword = unsafe entry.pointee.keyword {
            if let value = unsafe entry.pointee.val { unsafe values[String(cString: keyword)] = String(cString: value) }
            unsafe entry += 1
        }
        return values
    }

    /// libpq's message up to the first part of the connection string in it, which may hold the password.
    ///
    /// That part stands in quotes, of whatever form the language of the message has, and may have quotes in it: so
    /// nothing that follows is shown.
    static func beforeQuotation(_ text: String) -> String {
        let bytes = Array(text.utf8)
        // The two messages that quote a sign of libpq's own before they quote the string.
        let openings = ["missing \"=\" after ", "end of string reached when looking for matching \"]\" in "]
        let opening = openings.first { bytes.starts(with: $0.utf8) }?.utf8.count ?? 0
        let shown = bytes[..<opening] + bytes[opening...].prefix { $0 < 0x80 && $0 != 0x22 && $0 != 0x27 }
        let words = String(decoding: shown, as: UTF8.self).split { $0.isWhitespace || $0 == ":" }
        return words.isEmpty ? "libpq doesn't understand it" : words.joined(separator: " ") + " …"
    }
}
