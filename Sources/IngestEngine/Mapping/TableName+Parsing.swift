import PGWire

extension TableName {
    /// Parses a table's name as written in a mapping: `TABLE` or `SCHEMA.TABLE`, case-sensitive. A part may be in
    /// quotes, within which a doubled quote is one quote.
    ///
    /// - Returns: nil if the text has another form, or if a part is empty, too long or contains a NUL.
    init?(parsing text: String) {
        var parts: [String] = []
        var rest = text.unicodeScalars[...]
        repeat {
            if !parts.isEmpty { rest.removeFirst() }
            guard let part = Self.part(&rest) else { return nil }
            parts.append(part)
        } while rest.first == "."
        // Postgres truncates names of more than 63 bytes.
        guard rest.isEmpty, parts.count <= 2, let table = parts.last,
            parts.allSatisfy({ !$0.isEmpty && $0.utf8.count <= 63 && !$0.utf8.contains(0) })
        else { return nil }
        self.init(schema: parts.count == 2 ? parts[0] : nil, table: table)
    }

    private static func part(_ rest: inout Substring.UnicodeScalarView) -> String? {
        guard rest.first == "\"" else {
            let part = rest.prefix { $0 != "." && $0 != "\"" }
            rest = rest[part.endIndex...]
            return String(part)
        }
        rest.removeFirst()
        var part = ""
        while let scalar = rest.popFirst() {
            if scalar == "\"" {
                guard rest.first == "\"" else { return part }
                rest.removeFirst()
            }
            part.unicodeScalars.append(scalar)
        }
        return nil
    }
}
