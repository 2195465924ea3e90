import PGWire
import Testing

@testable import IngestEngine

@Suite struct InferenceTests {
    private func infer(
        _ values: [String?], key: String? = nil, table: TableName? = nil, depth: Int = Inference.defaultDepth
    ) -> Inference {
        Inference(
            topic: "press-events", table: table, depth: depth,
            messages: values.map { (key: key.map { Array($0.utf8) }, value: $0.map { Array($0.utf8) }) })
    }

    /// The type of a field with these values.
    private func type(_ values: String...) -> InferredType? {
        infer(values.map { "{\"a\":\($0)}" }).kinds.first?.columns.first?.type
    }

    @Test("a field gets the narrowest type for all its values")
    func types() {
        #expect(type("true", "false") == .boolean)
        #expect(type("1", "-2147483648") == .integer)
        #expect(type("1", "2147483648") == .bigint)
        #expect(type("9223372036854775808") == .numeric)
        #expect(type("1", "1.5") == .numeric)
        #expect(type("1", "1e2") == .numeric)
        #expect(type("1", "\"1\"") == .text)
        #expect(type("1", "true") == .text)
        #expect(type("\"2024-02-29\"") == .date)
        #expect(type("\"2023-02-29\"") == .text)
        #expect(type("\"2024-03-12\"", "\"2024-03-12 06:15\"") == .timestamp)
        #expect(type("\"2024-03-12T06:15:00.123\"") == .timestamp)
        #expect(type("\"2024-03-12T06:15:00Z\"", "\"2024-03-12 06:15:00.5+01:00\"") == .timestamptz)
        #expect(type("\"2024-03-12T06:15:00Z\"", "\"2024-03-12 06:15:00\"") == .text)
        #expect(type("\"2024-03-12T06:15:00+01\"", "\"2024-03-12T06:15:00-0130\"") == .timestamptz)
        #expect(type("\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\"") == .uuid)
        #expect(type("\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\"", "\"\"") == .text)
        #expect(type("[1,2]") == .jsonb)
        #expect(type("{\"x\":1}", "7") == .jsonb)
        #expect(type("{}") == .jsonb)
        #expect(type("null") == .text)
        #expect(type("null", "7") == .integer)
    }

    @Test("a column is NOT NULL if every message has a value")
    func nullability() {
        let columns = infer(["{\"a\":1,\"b\":1,\"c\":{\"d\":1}}", "{\"a\":2,\"b\":null,\"c\":{\"d\":2}}", "{\"a\":3}"])
            .kinds[0].columns
        #expect(columns.map(\.name) == ["a", "b", "c_d"])
        #expect(columns.map(\.isNotNull) == [true, false, false])
        #expect(columns.map(\.present) == [3, 2, 2])
        #expect(columns.map(\.nulls) == [0, 1, 0])
        #expect(infer(["{\"c\":{\"d\":1}}", "{\"c\":{\"d\":2}}"]).kinds[0].columns[0].isNotNull)
    }

    @Test("nested objects become columns down to the given depth")
    func nesting() throws {
        let message = "{\"head\":{\"Machine\":7,\"pos\":{\"x\":{\"y\":1}}},\"head_machine\":1,\"4 ä\":2}"
        let inference = infer([message])
        let columns = inference.kinds[0].columns
        #expect(columns.map(\.name) == ["head_machine", "head_pos_x", "head_machine_2", "_4_ä"])
        #expect(columns.map(\.path.description) == ["$.head.Machine", "$.head.pos.x", "$.head_machine", "$['4 ä']"])
        #expect(columns.map(\.type) == [.integer, .jsonb, .integer, .integer])
        #expect(infer([message], depth: 1).kinds[0].columns.map(\.type) == [.jsonb, .integer, .integer])
        // Every table already has columns with these names.
        #expect(infer(["{\"xmin\":1,\"tableoid\":1}"]).kinds[0].columns.map(\.name) == ["xmin_2", "tableoid_2"])
        // An object with very many names is a map.
        let fields = (0..<200).map { "\"k\($0)\":1" }.joined(separator: ",")
        #expect(infer(["{\"a\":{\(fields)}}"]).kinds[0].columns.map(\.type) == [.jsonb])
    }

    @Test("a name is truncated between code points, since one letter with its marks may exceed the limit")
    func longLetters() {
        let field = "a" + String(repeating: "\u{345}", count: 40)
        let columns = infer(["{\"\(field)\":1,\"\(field)b\":2}"]).kinds[0].columns
        func name(_ marks: Int) -> String { "a" + String(repeating: "\u{345}", count: marks) }
        #expect(columns.map(\.name) == [name(31), name(30) + "_2"])
    }

    @Test("keys with different fields are kinds of messages; keys that identify things are not")
    func kinds() {
        func infer(_ messages: [(String?, String)]) -> Inference {
            Inference(
                topic: "TFI",
                messages: messages.map { (key: $0.0.map { Array($0.utf8) }, value: Array($0.1.utf8)) })
        }
        let different = infer([
            ("unit_collection_point", "{\"unit\":1,\"at\":\"2024-03-12 06:00:00\",\"zone\":1}"),
            (nil, "{\"x\":1}"),
            ("unit_concern", "{\"unit\":1,\"at\":\"2024-03-12 06:00:00\",\"concern\":2,\"charged\":3}"),
        ])
        #expect(different.kinds.map(\.key) == ["unit_collection_point", "unit_concern", nil])
        #expect(different.kinds.map(\.table.table) == ["unit_collection_point", "unit_concern", "other"])
        #expect(different.mapping.routes[0].conditions == [.key("unit_collection_point")])
        #expect(different.mapping.routes[0].columns == nil)
        let same = infer([("press 1", "{\"a\":1,\"b\":1,\"c\":1,\"d\":1}"), ("press 2", "{\"a\":1,\"b\":1,\"c\":1}")])
        #expect(same.kinds.map(\.key) == [nil])
        #expect(same.kinds.map(\.table.table) == ["tfi"])
        let many = infer((0..<40).map { ("k\($0)", "{\"f\($0)\":1}") })
        #expect(many.kinds.map(\.key) == [nil])
    }

    @Test("messages that aren't JSON objects are counted and ignored")
    func others() {
        let inference = infer([nil, "{", "[1]", "7", "{\"a\":1}", "{\"a\":1}x", "\"\\ud800\"", "", "{\"a\":01}"])
        #expect(inference.tombstones == 1)
        #expect(inference.unreadable == 5)
        #expect(inference.otherValues == 2)
        #expect(inference.kinds[0].messages == 1)
        #expect(infer([]).kinds.isEmpty)
        #expect(infer([String(repeating: "[", count: 100_000)]).unreadable == 1)
    }

    @Test("the proposal is CREATE TABLE and a mapping that can be parsed")
    func proposal() throws {
        let inference = infer(
            ["{\"id\":1,\"Order\":{\"no\":\"x\"}}", "{\"id\":2}"], table: TableName(schema: "plant", table: "press"))
        #expect(
            inference.createTables { "<\($0)>" } == """
                CREATE TABLE <plant>.<press> (
                    <id> integer NOT NULL,
                    <order_no> text
                );

                """)
        #expect(
            inference.mapping.yaml == """
                routes:
                  - topic: press-events
                    table: plant.press
                    columns:
                      id: $.id
                      order_no: $.Order.no

                """)
        let read = try MappingFile.read(Array(inference.mapping.yaml.utf8), named: "m")
        #expect(read.routes[0].columns?.map(\.source) == inference.mapping.routes[0].columns?.map(\.source))
    }

    @Test("escapes, the last of duplicate fields and the text of numbers are kept")
    func json() {
        func parse(_ text: String) -> SampleJSON? { SampleJSON(Array(text.utf8)) }
        #expect(parse(#" "a\"\\\/\b\f\n\r\t\u00e9\ud83c\udfed" "#) == .string("a\"\\/\u{8}\u{c}\n\r\té🏭"))
        #expect(
            parse("{\"a\":1,\"b\":2,\"a\":3}")
                == .object([
                    .init(name: "a", value: .number("3")), .init(name: "b", value: .number("2")),
                ]))
        #expect(parse("-0.10E+2") == .number("-0.10E+2"))
        for text in ["-", "1.", ".5", "1e", "tru", "[1,]", "{\"a\"}", "{a:1}", "\"\u{1}\"", "\"\\x\"", "nul", "+1"] {
            #expect(parse(text) == nil, "\(text)")
        }
        #expect(SampleJSON([0x22, 0xff, 0x22]) == nil)
    }
}
