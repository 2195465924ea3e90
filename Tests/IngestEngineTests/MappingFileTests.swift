import PGWire
import Testing

@testable import IngestEngine

@Suite struct MappingFileTests {
    private func read(_ text: String) throws -> Mapping {
        try MappingFile.read(Array(text.utf8), named: "m.yaml")
    }

    /// The description of the error, with its line.
    private func mistake(_ text: String) -> String {
        do {
            _ = try read(text)
            return "no mistake"
        } catch {
            return "\(error)"
        }
    }

    @Test("a topic and a table are enough")
    func shortest() throws {
        let mapping = try read("routes: [{ topic: TFI, table: workshop.ucp }]")
        #expect(
            mapping
                == Mapping(routes: [
                    Route(topic: .name("TFI"), table: TableName(schema: "workshop", table: "ucp"), line: 1)
                ]))
        #expect(mapping.routes.map(\.line) == [1])
        #expect(mapping.deadLetterLimit == Mapping.DeadLetterLimit(share: 0.5, of: 1000, total: 10_000))
    }

    @Test("every setting is parsed")
    func everything() throws {
        let mapping = try read(
            """
            routes:
              - topic: TFI
                when: { key: unit, header: { type: a }, field: { $.kind: "1" } }
                table: '"Work.shop"."U"'
                value: { decompress: zstd }
                json: $.payload
                each: $.items[*]
              - topic: "press-.*"
                table: press_event
                columns:
                  machine:  $.head.machine
                  plain:    weight
                  at:       { path: $.ts, format: unix_ms }
                  shift_at: { path: $.local, format: "dd.MM.yyyy HH:mm:ss", zone: Europe/Madrid }
                  weight:   { path: "$['w.x'][2]", default: 0 }
                  trace:    { header: traceparent, default: "" }
                  source:   { record: offset }
                  rest:     { rest: true }
                mode: upsert
                key: [machine, at]
                tombstone: delete
              - { topic: t, table: t, mode: ignore, key: id }
            unknown_fields: dead_letter
            unrouted: ignore
            dead_letter_limit: { share: 0.25, of: 2000, total: 5_000 }
            on_partition_error: stop
            """)
        #expect(mapping.unknownFields == .deadLetter)
        #expect(mapping.unrouted == .ignore)
        #expect(mapping.partitionErrors == .stop)
        #expect(mapping.deadLetterLimit == Mapping.DeadLetterLimit(share: 0.25, of: 2000, total: 5000))
        #expect(
            mapping.routes[0]
                == Route(
                    topic: .name("TFI"),
                    conditions: [
                        .key("unit"), .header("type", "a"), .field(JSONPath(steps: [.field("kind")]), "1"),
                    ],
                    table: TableName(schema: "Work.shop", table: "U"), decompression: .zstd,
                    json: JSONPath(steps: [.field("payload")]), each: JSONPath(steps: [.field("items")]), line: 2))
        let press = mapping.routes[1]
        #expect(press.topic == .pattern("press-.*"))
        #expect(press.mode == .upsert(key: ["machine", "at"], tombstone: .delete))
        #expect(
            try press.columns == [
                Route.Column(
                    name: "machine", source: .path(JSONPath(steps: [.field("head"), .field("machine")])), line: 11),
                Route.Column(name: "plain", source: .path(JSONPath(steps: [.field("weight")])), line: 12),
                Route.Column(
                    name: "at", source: .path(JSONPath(steps: [.field("ts")])), format: .unix(.milliseconds),
                    line: 13),
                Route.Column(
                    name: "shift_at", source: .path(JSONPath(steps: [.field("local")])),
                    format: .pattern(TimePattern("dd.MM.yyyy HH:mm:ss")), zone: "Europe/Madrid", line: 14),
                Route.Column(
                    name: "weight", source: .path(JSONPath(steps: [.field("w.x"), .element(2)])), defaultValue: "0",
                    line: 15),
                Route.Column(name: "trace", source: .header("traceparent"), defaultValue: "", line: 16),
                Route.Column(name: "source", source: .record(.offset), line: 17),
                Route.Column(name: "rest", source: .rest, line: 18),
            ])
        #expect(mapping.routes[2].mode == .ignore(key: ["id"]))
        // Lines are ignored when mappings are compared.
        #expect(mapping.routes.map(\.line) == [2, 8, 22])
        #expect(press.columns?.map(\.line) == Array(11...18))
    }

    @Test(
        "a mistake is named with its line and the nearest valid word",
        arguments: [
            ("", "m.yaml:1: the file is empty"),
            ("routes:", "m.yaml:1: \"routes\" must be a list of at least one route, not nothing"),
            ("routes: []", "m.yaml:1: \"routes\" must be a list of at least one route, not a list"),
            ("a: 1", "m.yaml:1: there is no setting \"a\" in a mapping"),
            (
                "routes:\n- topic: t\n  table: t\n  colums: {}",
                "m.yaml:4: there is no setting \"colums\" in a route; did you mean \"columns\"?"
            ),
            ("routes:\n- table: t", "m.yaml:2: \"topic\" is missing in a route"),
            ("routes:\n- topic: t", "m.yaml:2: \"table\" is missing in a route"),
            ("routes:\n- topic: [t]\n  table: t", "m.yaml:2: \"topic\" must be a text, not a list"),
            ("routes:\n- topic:\n  table: t", "m.yaml:2: \"topic\" must be a text, not nothing"),
            ("routes:\n- topic: 'a['\n  table: t", "m.yaml:2: \"a[\" is neither a topic's name nor a regular"),
            ("routes:\n- topic: ..\n  table: t", "m.yaml:2: \"..\" cannot be a topic's name"),
            ("routes:\n- topic: t\n  table: a.b.c", "m.yaml:3: \"a.b.c\" is not a table's name"),
            ("routes:\n- topic: t\n  table: t\n  topic: u", "m.yaml:4: \"topic\" is already on line 2"),
            (
                "routes:\n- topic: t\n  table: t\n  columns:\n    a: x\n    b: y\n    a: z",
                "m.yaml:7: \"a\" is already on line 5"
            ),
            (
                "routes:\n- topic: t\n  table: t\n  mode: upsret",
                "m.yaml:4: \"mode\" cannot be \"upsret\"; did you mean \"upsert\"?"
            ),
            ("routes:\n- topic: t\n  table: t\n  key: [a]", "m.yaml:4: \"key\" needs \"mode: upsert\""),
            ("routes:\n- topic: t\n  table: t\n  tombstone: delete", "m.yaml:4: \"tombstone\" needs"),
            ("routes:\n- topic: t\n  table: t\n  mode: upsert\n  key: [a, a]", "m.yaml:5: \"a\" occurs twice"),
            (
                "routes:\n- topic: t\n  table: t\n  columns: { a: { path: x, header: y } }",
                "m.yaml:4: column \"a\" has both path and header"
            ),
            ("routes:\n- topic: t\n  table: t\n  columns: { a: {} }", "m.yaml:4: column \"a\" needs one of path"),
            ("routes:\n- topic: t\n  table: t\n  columns: { a: '$.x[' }", "m.yaml:4: $.x[ is not a path"),
            (
                "routes:\n- topic: t\n  table: t\n  columns: { a: { record: ofset } }",
                "m.yaml:4: \"record\" cannot be \"ofset\"; did you mean \"offset\"?"
            ),
            (
                "routes:\n- topic: t\n  table: t\n  columns: { a: { path: x, format: unix_mss } }",
                "m.yaml:4: \"format\" cannot be \"unix_mss\"; did you mean \"unix_ms\"?"
            ),
            (
                "routes:\n- topic: t\n  table: t\n  columns: { a: { path: x, format: 'dd.MM' } }",
                "m.yaml:4: the pattern \"dd.MM\" names the month, but not the larger units before it"
            ),
            (
                "routes:\n- topic: t\n  table: t\n  columns: { a: { path: x, zone: Europe/Madird } }",
                "m.yaml:4: there is no time zone \"Europe/Madird\"; did you mean \"Europe/Madrid\"?"
            ),
            (
                "routes:\n- topic: t\n  table: t\n  columns: { a: { rest: true }, b: { rest: true } }",
                "m.yaml:4: column \"b\" is the second one with \"rest\""
            ),
            (
                "routes:\n- topic: t\n  table: t\n  columns: { a: { record: key, default: 1 } }",
                "m.yaml:4: \"default\" needs a path or a header"
            ),
            (
                "routes:\n- topic: t\n  table: t\n  each: $.items",
                "m.yaml:4: \"each\" must be the path of an array and [*]"
            ),
            ("routes:\n- topic: t\n  table: t\n  when: {}", "m.yaml:4: \"when\" needs a key, a header or a field"),
            (
                "routes:\n- topic: t\n  table: t\n  when: { field: { a: 1, $.a: 2 } }",
                "m.yaml:4: \"field\" has two values for $.a"
            ),
            (
                "dead_letter_limit: { share: 2 }\nroutes: [{ topic: t, table: t }]",
                "m.yaml:1: \"share\" must be a number above 0 and at most 1, not \"2\""
            ),
            ("routes: [{ topic: t, table: t", "m.yaml:2: this is not YAML"),
            ("routes: &a [{ topic: t, table: t }]", "m.yaml:1: anchors (&name) are not supported"),
            ("routes: *a", "m.yaml:1: aliases (*name) are not supported"),
            ("routes: !x [{ topic: t, table: t }]", "m.yaml:1: tags (!name) are not supported"),
            ("routes: [{ topic: t, table: t }]\n---\na: 1", "m.yaml:2: a second document starts here"),
        ])
    func mistakes(_ text: String, _ expected: String) {
        let found = mistake(text)
        #expect(found.hasPrefix(expected), "\(found)")
    }

    @Test("deeply nested, large and truncated files are refused without a crash")
    func hostile() {
        #expect(mistake(String(repeating: "[", count: 100_000)).contains("nested deeper than"))
        #expect(mistake(String(repeating: "#", count: 5 << 20)).contains("bytes; the maximum is"))
        let brackets = String(repeating: "[", count: 100_000)
        #expect(mistake("routes: [{ topic: '\(brackets)a', table: t }]").contains("100000 opening brackets"))
        #expect(throws: MappingError.self) { try MappingFile.read([0xff, 0xfe, 0, 0xd8], named: "m") }
        let whole = "routes:\n- {topic: t, table: \"a.b\", columns: {a: {path: $.x, format: \"yyyy-MM-dd\"}}}\n"
        for count in 0..<whole.utf8.count { _ = mistake(String(whole.prefix(count))) }
    }

    @Test("`message` needs `each`, and `envelope` needs `json`")
    func outerValues() throws {
        let text =
            "routes:\n- topic: t\n  table: t\n  json: j\n  each: $.e[*]\n  columns:\n"
            + "    a: { message: $.x, default: 1 }\n    b: { envelope: y, format: unix_s }\n"
        let columns = try read(text).routes[0].columns
        #expect(
            columns?.map(\.source) == [
                .message(JSONPath(steps: [.field("x")])), .envelope(JSONPath(steps: [.field("y")])),
            ])
        #expect(
            mistake(text.replacing("  each: $.e[*]\n", with: "")).contains(
                "m.yaml:6: column \"a\": \"message\" needs \"each\""),
            "\(mistake(text.replacing("  each: $.e[*]\n", with: "")))")
        #expect(
            mistake(text.replacing("  json: j\n", with: "")).contains("column \"b\": \"envelope\" needs \"json\""))
        #expect(
            try MappingFile.read(Array(read(text).yaml.utf8), named: "m.yaml").routes[0].columns?.map(\.source)
                == columns?.map(\.source))
    }

    @Test("control characters in a file are escaped in errors")
    func terminal() {
        #expect(!mistake("\"a\\e[31m\": 1").contains("\u{1b}"))
    }
}
