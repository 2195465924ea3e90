import Testing

@testable import IngestEngine

@Suite struct JSONPathTests {
    @Test(
        "a path is parsed and printed",
        arguments: [
            ("$", [], "$"),
            ("a", [.field("a")], "$.a"),
            ("a.b", [.field("a.b")], "$['a.b']"),
            ("$.a.b", [.field("a"), .field("b")], "$.a.b"),
            ("$.größe-1", [.field("größe-1")], "$.größe-1"),
            ("$['a b'][\"c'd\"]", [.field("a b"), .field("c'd")], "$['a b']['c\\'d']"),
            ("$[0].x[12]", [.element(0), .field("x"), .element(12)], "$[0].x[12]"),
        ] as [(String, [JSONPath.Step], String)])
    func read(_ text: String, _ steps: [JSONPath.Step], _ written: String) throws {
        let path = try JSONPath(text)
        #expect(path.steps == steps)
        #expect(path.description == written)
        #expect(try JSONPath(path.description) == path)
    }

    @Test(
        "an invalid path is refused",
        arguments: ["", "$.", "$..a", "$a", "$[", "$[]", "$[-1]", "$[a]", "$['a", "$['a'", "$[99999999999]", "$.a b"])
    func refused(_ text: String) {
        #expect(throws: JSONPathError.self) { try JSONPath(text) }
    }

    @Test("a path with too many steps is refused")
    func long() {
        #expect(throws: JSONPathError.self) { try JSONPath("$" + String(repeating: ".a", count: 33)) }
    }
}
