import Testing

@testable import IngestEngine

@Suite("Fields of messages")
struct MessageFieldsTests {
    @Test func valuesAreFoundByTheirPaths() throws {
        var fields = MessageFields(try ["kind", "$.items", "$.payload", "$.none"].map { try JSONPath($0) })
        let text = #"{"kind":"a\u0062","items":[ 1, {"x":[2]} ,"s"],"payload":"{\"y\":1}"}"#
        let message = Array(text.utf8)
        let span = unsafe message.span.bytes
        let problem = fields.read(span)
        #expect(problem == nil)
        let kind = fields.text(0, in: span)
        #expect(kind == Array("ab".utf8))
        let payload = fields.text(2, in: span)
        #expect(payload == Array(#"{"y":1}"#.utf8))
        let missing = (fields.value(3), fields.text(3, in: span), fields.elements(0, in: span))
        #expect(missing.0 == nil && missing.1 == nil && missing.2 == nil)
        let found = fields.elements(1, in: span)
        let elements = try #require(found)
        #expect(elements.map(\.kind) == [.number, .object, .string])
        #expect(elements.map { String(decoding: message[$0.range], as: UTF8.self) } == ["1", #"{"x":[2]}"#, "\"s\""])
    }

    @Test func namesAreComparedByTheirBytes() throws {
        // `String` treats the first two as equal, and the last two.
        let names = ["\u{e9}", "e\u{301}", "\u{212a}", "K"]
        var fields = MessageFields(names.map { JSONPath(steps: [.field($0)]) })
        for (index, name) in names.enumerated() {
            let message = Array("{\"\(name)\":1}".utf8)
            let reason = unsafe fields.read(message.span.bytes)
            let found = names.indices.filter { fields.value($0) != nil }
            #expect(reason == nil && found == [index])
        }
    }

    @Test func invalidJSONHasAReason() throws {
        var fields = MessageFields([try JSONPath("a")])
        let message = Array("{\"a\":1".utf8)
        let reason = unsafe fields.read(message.span.bytes)
        #expect(reason == "expected a comma or a closing brace (byte 6 of 6)")
    }
}
