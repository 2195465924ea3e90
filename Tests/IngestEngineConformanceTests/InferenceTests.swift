import PGWire
import TestSupport
import Testing

@testable import IngestEngine

/// A proposed table accepts the messages for which it was proposed.
@Suite(.enabled(if: PostgresServer.isAvailable, "\(PostgresServer.skipReason)"), .timeLimit(.minutes(2)))
struct ProposedTableTests {
    /// Random messages of one structure, whose fields may be missing, null or of varying types.
    private struct Messages {
        var generator: SeededRandom

        /// The names and kinds of the fields, so that messages resemble each other.
        mutating func make(_ count: Int) -> [[UInt8]] {
            let fields = (0..<Int.random(in: 1...8, using: &generator)).map { _ in
                (name(), Int.random(in: 0...12, using: &generator))
            }
            return (0..<count).map { _ in Array(object(fields).utf8) }
        }

        private mutating func object(_ fields: [(String, Int)]) -> String {
            var parts: [String] = []
            for (name, kind) in fields where Int.random(in: 0...9, using: &generator) > 0 {
                let kind =
                    Int.random(in: 0...19, using: &generator) == 0 ? Int.random(in: 0...12, using: &generator) : kind
                parts.append("\(name): \(value(kind))")
            }
            return "{\(parts.joined(separator: ", "))}"
        }

        private mutating func name() -> String {
            let names = [
                "id", "Id", "ID", "order", "User", "größe", "a b", "a\\\"b", "", "🏭", "$.x", "1st", "x_y", "x",
                "tableoid",
                "select", String(repeating: "long", count: 20),
            ]
            return "\"\(names.randomElement(using: &generator) ?? "x")\""
        }

        private mutating func value(_ kind: Int) -> String {
            func pick(_ texts: String...) -> String { texts.randomElement(using: &generator) ?? "null" }
            switch kind {
            case 0: return pick("true", "false")
            case 1: return pick("0", "-1", "2147483647", "-0")
            case 2: return pick("2147483648", "-9223372036854775808", "1")
            case 3: return pick("1.5", "1e3", "-0.0", "123456789012345678901234567890", "1E-7")
            case 4: return pick("\"2024-02-29\"", "\"0001-01-01\"", "\"9999-12-31\"")
            case 5: return pick("\"2024-03-12T06:15\"", "\"2024-03-12 23:59:59.999999\"")
            case 6:
                return pick(
                    "\"2024-03-12T06:15Z\"", "\"2024-03-12 06:15:00.123456789+15:59\"", "\"2024-03-12T00:00-0130\"")
            case 7: return pick("\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\"", "\"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11\"")
            case 8: return pick("\"\"", "\"x\"", "\"\\u00e9\\n\\\"\\\\\"", "\"{\"", "\"null\"", "\"today\"")
            case 9: return pick("[]", "[1, \"a\", null]", "{}")
            case 10: return "null"
            default:
                guard kind == 11 else { return pick("1", "\"1\"", "true", "null") }
                return "{\"x\": \(pick("1", "null", "\"y\"")), \"Y\": {\"z\": \(pick("1", "[2]"))}}"
            }
        }
    }

    @Test("the proposed table accepts every sample message")
    func samples() async throws {
        let database = try await CatalogDatabase.make("proposed", "")
        let seed = UInt64.random(in: 0...UInt64.max)
        var messages = Messages(generator: SeededRandom(seed: seed))
        for round in 0..<40 {
            let values = messages.make(30)
            let inference = Inference(
                topic: "t", table: TableName(schema: "proposed", table: "T \(round)"),
                messages: values.map { (key: nil, value: $0) })
            // All messages may lack fields.
            guard let kind = inference.kinds.first, !kind.columns.isEmpty else { continue }
            let mapping = try MappingFile.read(Array(inference.mapping.yaml.utf8), named: "proposed")
            try await database.connection.transaction { session in
                try session.execute(try inference.createTables { try session.quoted($0) })
            }
            let catalog = try await database.connection.transaction { session in
                try Catalog.read(mapping.routes.map(\.table), &session)
            }
            let report = try await database.connection.transaction { session in
                let check = try MappingCheck(try Binder.bind(mapping, to: catalog, &session))
                for (offset, value) in values.enumerated() {
                    check.check(CheckedRecord(topic: "t", partition: 0, offset: Int64(offset), value: value))
                }
                return check.report
            }
            let rejection = report.routes[0].rejections.first?.example
            let shown = rejection.map { "\($0.reason)\n\(String(decoding: values[Int($0.offset)], as: UTF8.self))" }
            #expect(report.routes[0].rows == 30, "seed \(seed): \(shown ?? "")\n\(inference.mapping.yaml)")
        }
    }
}
