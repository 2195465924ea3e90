import PGWire

/// Quotes identifiers in SQL that is printed for people. In statements that this program sends, libpq quotes them.
enum SQLIdentifier {
    /// The identifier, in quotes unless it is a lower-case name and not a reserved word.
    static func quoted(_ name: String) -> String {
        func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || byte == 0x5f }
        func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
        let isPlain =
            name.utf8.first.map(isLetter) == true && name.utf8.allSatisfy { isLetter($0) || isDigit($0) }
            && !reserved.contains(name)
        return isPlain ? name : PostgresText.quotedIdentifier(name)
    }

    /// Words that cannot be the name of a column or a table without quotes.
    ///
    /// Source: `pg_get_keywords()` of PostgreSQL 18, the categories R and T, and those of C that cannot name a table.
    private static let reserved: Set<String> = Set(
        """
        all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case \
        cast char character check coalesce collate collation column concurrently constraint create cross \
        current_catalog current_date current_role current_schema current_time current_timestamp current_user dec \
        decimal default deferrable desc distinct do else end except exists extract false fetch float for foreign \
        freeze from full grant greatest group grouping having ilike in initially inner inout int integer intersect \
        interval into is isnull join json json_array json_arrayagg json_exists json_object json_objectagg json_query \
        json_scalar json_serialize json_table json_value lateral leading least left like limit localtime \
        localtimestamp merge_action national natural nchar none normalize not notnull null nullif numeric offset on \
        only or order out outer overlaps overlay placing position precision primary real references returning right \
        row select session_user setof similar smallint some substring symmetric system_user table tablesample then \
        time timestamp to trailing treat trim true union unique user using values varchar variadic verbose when where \
        window with xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot \
        xmlserialize xmltable
        """.split(separator: " ").map(String.init))
}
