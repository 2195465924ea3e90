import PGWire
import Testing

@testable import IngestEngine

/// Binding without a server, to given table definitions.
@Suite struct BinderTests {
    private static let shape = TableShape(
        name: TableName(schema: "s", table: "t"),
        columns: [
            .init(name: "id", type: .int8, isNotNull: true, typeName: "bigint"),
            .init(name: "Name", type: .domain(base: .text, isChecked: true), typeName: "label"),
            .init(name: "at", type: .timestamptz(precision: 6), typeName: "timestamp with time zone"),
            .init(name: "day", type: .date, typeName: "date"),
            .init(name: "shift", type: .time(precision: 6), typeName: "time without time zone"),
            .init(name: "n", type: .int4, typeName: "integer"),
            .init(name: "bytes", type: .bytea, typeName: "bytea"),
            .init(name: "doc", type: .jsonb, typeName: "jsonb"),
            .init(name: "seen", type: .timestamptz(precision: 6), isNotNull: true, hasDefault: true),
            .init(name: "twice", type: .int8, isGenerated: true, typeName: "bigint"),
        ], primaryKey: ["id"], uniqueKeys: [["id"], ["n", "day"]])

    private func bind(_ text: String, _ shape: TableShape = shape) throws -> [BoundRoute] {
        let mapping = try MappingFile.read(Array(text.utf8), named: "m.yaml")
        let catalog = Catalog(
            tables: [TableName(schema: "s", table: "t"): .success(shape)], user: "someone", fingerprint: nil)
        return try Binder.bind(mapping, to: catalog, file: "m.yaml")
    }

    private func mistake(_ text: String, _ shape: TableShape = shape) -> String {
        do {
            _ = try bind(text, shape)
            return "no mistake"
        } catch {
            return "\(error)"
        }
    }

    private func columns(_ text: String) -> String {
        "routes:\n- topic: x\n  table: s.t\n  columns:\n    id: id\n    \(text)"
    }

    @Test("without columns, each column without a default reads the field of its name")
    func byName() throws {
        let bound = try bind("unknown_fields: dead_letter\nroutes: [{ topic: x, table: s.t }]")[0]
        #expect(bound.plan.columns.map(\.name) == ["id", "Name", "at", "day", "shift", "n", "bytes", "doc"])
        #expect(bound.plan.columns[1].source == .path(JSONPath(steps: [.field("Name")])))
        #expect(bound.plan.columns[0].isNotNull)
        #expect(bound.plan.unknownFields == .deadLetter)
        #expect(bound.leftToDefault == ["seen"])
        #expect(bound.mode == .append)
    }

    @Test("named columns are in table order with their settings")
    func named() throws {
        let bound = try bind(
            """
            routes:
            - topic: x
              table: s.t
              columns:
                bytes: { path: b, format: hex }
                at: { path: $.a.b, format: "dd.MM.yyyy HH:mm", zone: Europe/Madrid, default: "2024-01-01" }
                id: { record: offset }
                seen: { header: h }
            """)[0]
        #expect(
            try bound.plan.columns == [
                .init(name: "id", type: .int8, source: .record(.offset), isNotNull: true),
                .init(
                    name: "at", type: .timestamptz(precision: 6),
                    source: .path(JSONPath(steps: [.field("a"), .field("b")])),
                    format: .pattern(TimePattern("dd.MM.yyyy HH:mm")), zone: "Europe/Madrid",
                    defaultText: "2024-01-01"),
                .init(
                    name: "bytes", type: .bytea, source: .path(JSONPath(steps: [.field("b")])), bytes: .hex),
                .init(name: "seen", type: .timestamptz(precision: 6), source: .header("h"), isNotNull: true),
            ])
        #expect(bound.leftToDefault.isEmpty)
    }

    @Test(
        "a misfit is reported with line, column, type and what would fit",
        arguments: [
            ("nam: x", "the table has no column \"nam\""),
            ("name: x", "the table has no column \"name\"; did you mean \"Name\"? (names differ by case)"),
            ("twice: x", "only the database writes the column \"twice\" (GENERATED ALWAYS)"),
            ("n: { path: x, format: unix_ms }", "the column \"n\" is integer: \"format\" needs date, time, timestamp"),
            ("n: { path: x, zone: Europe/Madrid }", "the column \"n\" is integer: \"zone\" needs date"),
            ("n: { path: x, format: base64 }", "the column \"n\" is integer: \"format: base64\" needs bytea"),
            ("day: { path: x, format: 'HH:mm' }", "the column \"day\" is date: the pattern \"HH:mm\" has no day"),
            (
                "shift: { path: x, format: 'yyyy-MM-dd' }",
                "the column \"shift\" is time without time zone: the pattern \"yyyy-MM-dd\" has no time of day"
            ),
            ("n: { rest: true }", "the column \"n\" is integer: \"rest\" is a JSON object and needs json or jsonb"),
            ("n: { record: offset }", "the column \"n\" is integer: offsets grow beyond its range; an offset needs"),
            ("day: { record: timestamp }", "the column \"day\" is date: a record's timestamp needs timestamp with"),
            ("n: { record: key }", "the column \"n\" is integer: a record's key needs bytea, text"),
            ("n: { record: topic }", "the column \"n\" is integer: a topic's name needs text or varchar"),
            ("day: { record: partition }", "the column \"day\" is date: a partition needs integer"),
        ])
    func misfits(_ column: String, _ expected: String) {
        let found = mistake(columns(column))
        #expect(found.hasPrefix("m.yaml:6: route to s.t: \(expected)"), "\(found)")
    }

    @Test("a column that must not be null needs a source, unless a trigger may fill it")
    func notNull() throws {
        let text = "routes:\n- topic: x\n  table: s.t\n  columns:\n    n: n"
        #expect(mistake(text).hasPrefix("m.yaml:2: route to s.t: the column \"id\" (bigint) must not be null and has"))
        var shape = Self.shape
        shape.hasBeforeInsertTrigger = true
        #expect(mistake(text, shape) == "no mistake")
        #expect(try bind("routes: [{ topic: x, table: s.t }]", shape)[0].plan.columns[0].isNotNull == false)
    }

    @Test("record metadata can be encoded for every type that binding accepts")
    func metadata() throws {
        let types: [ColumnType] = [
            .bool, .int2, .int4, .int8, .float4, .float8, .numeric(nil), .numeric(.init(precision: 9, scale: 0)), .text,
            .varchar(nil), .varchar(99), .char(99), .bytea, .date, .time(precision: 6), .timestamp(precision: 6),
            .timestamptz(precision: 0), .interval, .uuid, .json, .jsonb, .inet, .enumeration(["x"]),
            .domain(base: .text, isChecked: false), .array(element: .text, elementOID: 25), .other,
        ]
        var accepted = 0
        let json = Array("{\"a\":1}".utf8)
        for field in Route.RecordField.allCases {
            for type in types {
                let column = Route.Column(name: "c", source: .record(field))
                guard ColumnFit(column: column, shape: .init(name: "c", type: type)).misfit == nil else { continue }
                accepted += 1
                var encoder = try RowEncoder(RowPlan(columns: [.init(name: "c", type: type, source: .record(field))]))
                encoder.setTopic("topic")
                var rows = CopyBuffer()
                // Safe: the array outlives the call.
                let outcome = unsafe encoder.encode(
                    value: json.span.bytes, key: json.span.bytes,
                    metadata: RecordMetadata(partition: .max, offset: .max, timestamp: 1_710_000_000_000), into: &rows)
                #expect(outcome == .row, "\(field) for \(type): \(outcome)")
            }
        }
        #expect(accepted == 32)
    }

    @Test("domains accept the sources of their base type")
    func domain() throws {
        #expect(mistake(columns("Name: { record: topic }")) == "no mistake")
    }

    @Test("the key is the primary key or a unique index")
    func key() throws {
        func mode(_ text: String) throws -> BoundRoute.Mode {
            try bind("routes: [{ topic: x, table: s.t, \(text) }]")[0].mode
        }
        #expect(try mode("mode: upsert") == .upsert(key: ["id"], tombstone: .deadLetter))
        #expect(try mode("mode: ignore, key: [day, n]") == .ignore(key: ["n", "day"]))
        #expect(
            mistake("routes: [{ topic: x, table: s.t, mode: ignore, key: day }]").contains(
                "needs a unique index on exactly (\"day\") that isn't partial or deferrable; create it: CREATE UNIQUE "
                    + "INDEX ON s.t (\"day\"); unique keys: (id), (n, day)"))
        #expect(
            mistake("routes: [{ topic: x, table: s.t, mode: ignore, key: dya }]").contains(
                "the key's column \"dya\" is not in the table; did you mean \"day\"?"))
        #expect(
            mistake("routes: [{ topic: x, table: s.t, mode: upsert, key: [n, day], columns: { id: i, n: n } }]")
                .contains("the key's column \"day\" has no source"))
        var shape = Self.shape
        shape.primaryKey = []
        #expect(
            mistake("routes: [{ topic: x, table: s.t, mode: upsert }]", shape).contains(
                "\"mode: upsert\" needs a key, and the table has no primary key"))
        shape.kind = .view
        #expect(mistake("routes: [{ topic: x, table: s.t, mode: upsert }]", shape).contains("and this is a view"))
    }

    @Test("a tombstone's key columns come from the record's key")
    func tombstones() throws {
        func tombstone(_ text: String) throws -> BoundRoute.Tombstone? {
            let yaml = "routes: [{ topic: x, table: s.t, mode: upsert, tombstone: delete, \(text) }]"
            guard case .upsert(_, let tombstone) = try bind(yaml)[0].mode else { return nil }
            return tombstone
        }
        guard case .delete(let single) = try tombstone("key: id") else { throw WrongMode() }
        #expect(single.columns.map(\.name) == ["id"])
        #expect(single.textColumn == "id")
        guard case .delete(let pair) = try tombstone("key: [n, day]") else { throw WrongMode() }
        #expect(pair.columns.map(\.name) == ["day", "n"])
        #expect(pair.textColumn == nil)
        #expect(
            mistake(
                "routes: [{ topic: x, table: s.t, mode: upsert, tombstone: delete, columns: { id: { record: offset } } }]"
            ).contains("\"tombstone: delete\" can't find the rows: the source of the key's column \"id\" is"))
        #expect(
            mistake("routes: [{ topic: x, table: s.t, mode: upsert, tombstone: delete, each: '$.a[*]' }]").contains(
                "doesn't fit \"each\""))
    }

    private struct WrongMode: Error {}

    @Test("routes whose order would be lost are refused")
    func order() throws {
        func mistake(_ first: String, _ second: String) -> String {
            do {
                let routes = try bind("routes:\n- { table: s.t, \(first) }\n- { table: s.t, \(second) }")
                try RouteOrder.check(routes, file: "m.yaml")
                return "no mistake"
            } catch {
                return "\(error)"
            }
        }
        let upsert = "mode: upsert, columns: { id: id, n: n }"
        #expect(
            mistake("topic: x, \(upsert)", "topic: x, mode: upsert, columns: { id: id, n: n, day: day }").hasPrefix(
                "m.yaml:3: route to s.t: another route (line 2) writes to this table with other columns"))
        #expect(mistake("topic: x, \(upsert)", "topic: x.*, \(upsert), key: [id], tombstone: delete") == "no mistake")
        #expect(mistake("topic: x, \(upsert)", "topic: y, mode: upsert") == "no mistake")
        #expect(mistake("topic: x, \(upsert)", "topic: \"[xy]\"").contains("another route"))
        #expect(mistake("topic: x", "topic: x, columns: { id: id }") == "no mistake")
    }

    @Test("key columns must not be null")
    func keysAreNotNull() throws {
        let columns = try bind("routes: [{ topic: x, table: s.t, mode: upsert, key: [n, day] }]")[0].plan.columns
        #expect(columns.filter(\.isNotNull).map(\.name) == ["id", "day", "n"])
    }

    @Test("mapping one topic to one table needs no file")
    func simple() throws {
        let mapping = try Mapping(topic: "TFI", table: "workshop.\"u.c\"")
        #expect(
            mapping == Mapping(routes: [Route(topic: .name("TFI"), table: TableName(schema: "workshop", table: "u.c"))])
        )
        #expect(mapping.routes[0].table.text == "workshop.\"u.c\"")
        let topic = #expect(throws: BindingError.self) { try Mapping(topic: "a[", table: "t") }
        #expect(topic?.description.hasPrefix("--topic: \"a[\" is neither") == true)
        let table = #expect(throws: BindingError.self) { try Mapping(topic: "a", table: "a.b.c") }
        #expect(table?.description.hasPrefix("--table: \"a.b.c\" is not a table's name") == true)
        let catalog = Catalog(
            tables: [TableName(table: "t"): .failure(CatalogError("there is no table \"t\""))], user: "",
            fingerprint: nil)
        let missing = #expect(throws: BindingError.self) {
            try Binder.bind(try Mapping(topic: "a", table: "t"), to: catalog)
        }
        #expect(missing?.description == "--table: there is no table \"t\"")
    }
}
