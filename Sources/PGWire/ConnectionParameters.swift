import CPQ

/// Keywords and values for libpq, checked so that its messages can't quote a password.
///
/// Source: PostgreSQL manual, "Parameter Key Words" and "Connection Strings".
struct ConnectionParameters {
    private(set) var pairs: [(keyword: String, value: String)]

    /// - Parameters:
    ///   - uri: A URI, key=value pairs, a database name, or nil for the environment alone.
    ///   - options: Further parameters, which win over the URI's.
    init(uri: String?, options: [String: String], applicationName: String?) throws(PostgresError) {
        // A server that vanished is noticed after 10 + 3 × 5 seconds of silence.
        pairs = [
            ("keepalives", "1"), ("keepalives_idle", "10"), ("keepalives_interval", "5"), ("keepalives_count", "3"),
            ("tcp_user_timeout", "25000"),
        ]
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
        string.hasPrefix("postgresql://") || string.hasPrefix("postgres://")
    }

    /// Refuses what libpq would take apart wrongly, and then quote in its message, password and all.
    private static func check(_ uri: String) throws(PostgresError) {
        guard isURI(uri) || uri.contains("=") else {
            // A database name, which doesn't look like a URI with a slip of the pen.
            if !uri.contains("/"), !uri.contains("@"), !uri.contains(":") { return }
            throw unreadable("it has to begin with postgresql:// or to be made of key=value pairs")
        }
        let keyword = uri.prefix { $0 != "=" }.drop(while: \.isWhitespace)
        guard isURI(uri) || keyword.allSatisfy({ $0.isLetter || $0.isWhitespace || $0 == "_" }) else {
            throw unreadable("it has to begin with postgresql:// or to be made of key=value pairs")
        }
        let values = try parse(uri)
        guard isURI(uri) else { return }
        // A slash in a password ends the host for libpq, and the rest is taken for the database.
        let hasCredentials = values["user"] != nil || values["password"] != nil
        let isMisread = !hasCredentials && (values["dbname"] ?? "").contains("@")
        guard !isMisread, !(values["host"] ?? "").contains("@") else {
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
            throw unreadable(withoutQuotations(text))
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

    /// libpq's message without what it quotes, which may be a part of the password.
    static func withoutQuotations(_ text: String) -> String {
        let parts = text.split(separator: "\"", omittingEmptySubsequences: false)
        let kept = parts.enumerated().map { $0.offset % 2 == 0 ? String($0.element) : "…" }
        return kept.joined(separator: "\"").split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}
