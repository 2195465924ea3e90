import IngestEngine

/// A column of the compared tables: its type in SQL, its type for the encoder, and its kind of values.
struct ComparedColumn: Sendable {
    enum Family: CaseIterable, Sendable {
        case bool, number, float, text, bytea, time, interval, uuid, json, inet, label, range
        case numbers, floats, texts, times, jsons, labels
    }

    let name: String
    let sql: String
    let type: ColumnType
    let family: Family

    init(_ name: String, _ sql: String, _ type: ColumnType, _ family: Family) {
        (self.name, self.sql, self.type, self.family) = (name, sql, type, family)
    }

    static let labels = ["idle", "running", "halted", "1", "größer"]

    /// The types that the tables need.
    static let types = """
        CREATE TYPE mood AS ENUM ('idle', 'running', 'halted', '1', 'größer');
        CREATE DOMAIN positive AS integer CHECK (value > 0);
        CREATE DOMAIN brief AS varchar(4);
        """

    private static func numeric(_ precision: Int, _ scale: Int) -> ColumnType {
        .numeric(ColumnType.Precision(precision: precision, scale: scale))
    }

    static let all: [ComparedColumn] = [
        ComparedColumn("a_bool", "boolean", .bool, .bool),
        ComparedColumn("a_int2", "smallint", .int2, .number),
        ComparedColumn("a_int4", "integer", .int4, .number),
        ComparedColumn("a_int8", "bigint", .int8, .number),
        ComparedColumn("a_float4", "real", .float4, .float),
        ComparedColumn("a_float8", "double precision", .float8, .float),
        ComparedColumn("a_numeric", "numeric", .numeric(nil), .float),
        ComparedColumn("money", "numeric(5,2)", numeric(5, 2), .float),
        ComparedColumn("thousands", "numeric(3,-2)", numeric(3, -2), .float),
        ComparedColumn("tiny", "numeric(2,5)", numeric(2, 5), .float),
        ComparedColumn("a_text", "text", .text, .text),
        ComparedColumn("a_varchar", "varchar(5)", .varchar(5), .text),
        ComparedColumn("a_char", "char(3)", .char(3), .text),
        ComparedColumn("a_bytea", "bytea", .bytea, .bytea),
        ComparedColumn("a_date", "date", .date, .time),
        ComparedColumn("a_time", "time", .time(precision: 6), .time),
        ComparedColumn("a_time2", "time(2)", .time(precision: 2), .time),
        ComparedColumn("a_timestamp", "timestamp", .timestamp(precision: 6), .time),
        ComparedColumn("a_timestamp3", "timestamp(3)", .timestamp(precision: 3), .time),
        ComparedColumn("a_timestamptz", "timestamptz", .timestamptz(precision: 6), .time),
        ComparedColumn("unit_collection_pt_timestamptz_0", "timestamptz(0)", .timestamptz(precision: 0), .time),
        ComparedColumn("a_interval", "interval", .interval, .interval),
        ComparedColumn("a_uuid", "uuid", .uuid, .uuid),
        ComparedColumn("a_json", "json", .json, .json),
        ComparedColumn("a_jsonb", "jsonb", .jsonb, .json),
        ComparedColumn("a_inet", "inet", .inet, .inet),
        ComparedColumn("a_mood", "mood", .enumeration(labels), .label),
        ComparedColumn("a_positive", "positive", .domain(base: .int4, isChecked: true), .number),
        ComparedColumn("a_brief", "brief", .domain(base: .varchar(4), isChecked: false), .text),
        ComparedColumn("a_range", "tsrange", .other, .range),
        ComparedColumn("int4s", "integer[]", .array(element: .int4, elementOID: 23), .numbers),
        ComparedColumn("int8s", "bigint[]", .array(element: .int8, elementOID: 20), .numbers),
        ComparedColumn("float8s", "double precision[]", .array(element: .float8, elementOID: 701), .floats),
        ComparedColumn("numerics", "numeric(6,2)[]", .array(element: numeric(6, 2), elementOID: 1700), .floats),
        ComparedColumn("texts", "text[]", .array(element: .text, elementOID: 25), .texts),
        ComparedColumn("varchars", "varchar(3)[]", .array(element: .varchar(3), elementOID: 1043), .texts),
        ComparedColumn(
            "times", "timestamptz[]", .array(element: .timestamptz(precision: 6), elementOID: 1184), .times),
        ComparedColumn("jsonbs", "jsonb[]", .array(element: .jsonb, elementOID: 3802), .jsons),
        // The OIDs of these are known only at run time.
        ComparedColumn("moods", "mood[]", .array(element: .enumeration(labels), elementOID: 0), .labels),
        ComparedColumn(
            "positives", "positive[]",
            .array(element: .domain(base: .int4, isChecked: true), elementOID: 0), .numbers),
    ]

    /// The column with the OID of its array's element type.
    func withElementOID(_ oid: UInt32) -> ComparedColumn {
        guard case .array(let element, 0) = type else { return self }
        return ComparedColumn(name, sql, .array(element: element, elementOID: oid), family)
    }
}
