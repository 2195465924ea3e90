import PGWire
import Testing

@testable import IngestEngine

@Suite struct MappingYAMLTests {
    private func check(_ mapping: Mapping) throws {
        let yaml = mapping.yaml
        let read = try MappingFile.read(Array(yaml.utf8), named: "printed")
        #expect(read == mapping, "\(yaml)")
        // Compares bytes, since equal strings may differ in theirs.
        #expect(read.yaml.utf8.elementsEqual(yaml.utf8))
    }

    @Test("a short mapping is printed in its natural form")
    func short() {
        let mapping = Mapping(routes: [
            Route(
                topic: .name("TFI"), conditions: [.key("unit")], table: TableName(schema: "workshop", table: "ucp")),
            Route(
                topic: .pattern("press-.*"), table: TableName(table: "p"),
                columns: [
                    .init(name: "a", source: .path(JSONPath(steps: [.field("x"), .element(0)]))),
                    .init(name: "b", source: .record(.offset)),
                ]),
        ])
        #expect(
            mapping.yaml == """
                routes:
                  - topic: TFI
                    when: { key: unit }
                    table: workshop.ucp
                  - topic: "press-.*"
                    table: p
                    columns:
                      a: "$.x[0]"
                      b: { record: offset }

                """)
    }

    @Test("every printed setting parses to the same value")
    func everything() throws {
        let id = JSONPath(steps: [.field("id")])
        var routes = [
            Route(
                topic: .name("t.1"),
                conditions: [
                    .key("null"), .header("a b", "\u{1}\"\\"), .header("c", "true"), .field(id, "1"),
                    .field(JSONPath(steps: [.field("x y"), .element(3)]), ""),
                ],
                table: TableName(schema: "Work.shop", table: "a \"b\""),
                mode: .upsert(key: ["a", "~"], tombstone: .delete),
                decompression: .zstd, json: JSONPath(steps: [.field("p")]),
                each: JSONPath(steps: [.field("i"), .field("j k")])),
            Route(topic: .name("t"), table: TableName(table: "t"), mode: .upsert(key: nil, tombstone: .ignore)),
            Route(topic: .name("t"), table: TableName(table: "t"), mode: .upsert(key: nil, tombstone: .deadLetter)),
            Route(topic: .name("t"), table: TableName(table: "t"), mode: .ignore(key: ["größe", "x"])),
            Route(topic: .name("t"), table: TableName(table: "t"), mode: .ignore(key: nil), each: JSONPath(steps: [])),
            Route(
                topic: .pattern("a: b # c, [d]"), table: TableName(table: "-"),
                columns: [
                    .init(name: "null", source: .path(id)),
                    .init(name: "a: b", source: .path(id), format: .iso8601, zone: "Europe/Madrid", defaultValue: ""),
                    .init(name: "🏭", source: .header("h: x"), defaultValue: "a\u{85}b\u{2028}c\nd\u{feff}🏭 é"),
                    .init(
                        name: "p", source: .path(id),
                        format: .pattern(try TimePattern("dd.MM.yyyy'T'HH:mm, 'o''clock'")), defaultValue: "null"),
                    .init(name: "r", source: .rest),
                    .init(name: "x", source: .path(JSONPath(steps: [.field("it's"), .field("")])), bytes: .hex),
                    .init(name: "y", source: .path(id), bytes: .base64),
                ]),
        ]
        for unit in TimeFormat.UnixUnit.allCases {
            routes[5].columns?.append(.init(name: unit.rawValue, source: .path(id), format: .unix(unit)))
        }
        for field in Route.RecordField.allCases {
            routes[5].columns?.append(.init(name: "m \(field)", source: .record(field)))
        }
        try check(Mapping(routes: routes))
        for decompression in Route.Decompression.allCases {
            try check(
                Mapping(routes: [Route(topic: .name("t"), table: TableName(table: "t"), decompression: decompression)]))
        }
        try check(
            Mapping(
                routes: [Route(topic: .name("t"), table: TableName(table: "t"))], unknownFields: .deadLetter,
                unrouted: .ignore, deadLetterLimit: .init(share: 0.1, of: 7, total: 123_456), partitionErrors: .stop))
    }

    @Test("a mapping on a single line equals its printed form")
    func singleLine() throws {
        let text = "routes: [{topic: t, table: t, columns: {a: {path: $.a, format: base64}}}]"
        try check(try MappingFile.read(Array(text.utf8), named: "single"))
    }

    @Test("printed values from outside a row's message parse to the same values")
    func outerValues() throws {
        let path = JSONPath(steps: [.field("größe"), .element(0)])
        try check(
            Mapping(routes: [
                Route(
                    topic: .name("t"), table: TableName(table: "t"),
                    columns: [
                        .init(name: "a", source: .message(path)),
                        .init(name: "b", source: .envelope(path), format: .iso8601, zone: "UTC", defaultValue: "x"),
                        .init(name: "c", source: .message(JSONPath(steps: [])), bytes: .hex),
                    ], json: path, each: JSONPath(steps: []))
            ]))
    }

    @Test("printed small and large limits parse to the same values")
    func limits() throws {
        for share in [1, 0.1 + 0.2, 1e-7, Double.leastNonzeroMagnitude] {
            try check(
                Mapping(
                    routes: [Route(topic: .name("t"), table: TableName(table: "t"))],
                    deadLetterLimit: .init(share: share, of: .max, total: 1)))
        }
    }

    @Test("printed names that need a question mark in YAML parse to the same names")
    func longNames() throws {
        for length in [1000, 1001, 1024, 5000] {
            let name = String(repeating: "ü", count: length)
            try check(
                Mapping(routes: [
                    Route(
                        topic: .name("t"),
                        conditions: [
                            .header(name, name), .header("h", "x"), .field(JSONPath(steps: [.field(name)]), name),
                        ],
                        table: TableName(table: "t"),
                        columns: [
                            .init(name: name, source: .header(name)), .init(name: "b", source: .rest),
                            .init(name: name + "2", source: .path(JSONPath(steps: [.field(name)]))),
                        ])
                ]))
        }
    }

    @Test("names that differ in the form of their accents are different names")
    func equivalentNames() throws {
        let names = ["\u{e9}", "e\u{301}", "\u{212a}", "K"]
        try check(
            Mapping(routes: [
                Route(
                    topic: .name("t"), conditions: names.map { .field(JSONPath(steps: [.field($0)]), $0) },
                    table: TableName(table: "t"),
                    columns: names.map { .init(name: $0, source: .path(JSONPath(steps: [.field($0)]))) })
            ]))
    }

    @Test("the brackets of `each` are found after a letter that combines with the next one")
    func eachBehindPrepend() throws {
        let path = JSONPath(steps: [.field("\u{d4e}")])
        try check(Mapping(routes: [Route(topic: .name("t"), table: TableName(table: "t"), each: path)]))
    }

    @Test("any printed text parses to the same text")
    func anyText() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<300 {
            let scalars = (0..<Int.random(in: 1...12, using: &generator)).compactMap { _ -> Unicode.Scalar? in
                let range: ClosedRange<UInt32> = Bool.random() ? 1...0x7f : 1...0x10ffff
                return Unicode.Scalar(UInt32.random(in: range, using: &generator))
            }
            var text = ""
            text.unicodeScalars.append(contentsOf: scalars)
            guard !text.isEmpty else { continue }
            try check(
                Mapping(routes: [
                    Route(
                        topic: .name("t"), conditions: [.key(text), .header(text, text)], table: TableName(table: "t"),
                        columns: [
                            .init(
                                name: text, source: .path(JSONPath(steps: [.field(text)])), defaultValue: text)
                        ])
                ]))
        }
    }
}
