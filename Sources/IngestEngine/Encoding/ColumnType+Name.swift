extension ColumnType {
    /// The SQL name of the type, for messages.
    var described: String {
        switch self {
        case .bool: "boolean"
        case .int2: "smallint"
        case .int4: "integer"
        case .int8: "bigint"
        case .float4: "real"
        case .float8: "double precision"
        case .numeric(nil): "numeric"
        case .numeric(let precision?): "numeric(\(precision.precision),\(precision.scale))"
        case .text: "text"
        case .varchar(nil): "varchar"
        case .varchar(let count?): "varchar(\(count))"
        case .char(let count): "char(\(count))"
        case .bytea: "bytea"
        case .date: "date"
        case .time: "time"
        case .timestamp: "timestamp"
        case .timestamptz: "timestamptz"
        case .interval: "interval"
        case .uuid: "uuid"
        case .json: "json"
        case .jsonb: "jsonb"
        case .inet: "inet"
        case .enumeration(let labels):
            "one of " + labels.prefix(8).joined(separator: ", ") + (labels.count > 8 ? ", …" : "")
        case .domain(let base, _): base.described
        case .array(let element, _): element.described + "[]"
        case .other: "the column's type"
        }
    }
}
