import IngestEngine
import Testing

@testable import TFIConsumer

@Suite("Schema statements")
struct SchemaTests {
    /// A legal name that breaks any manual quoting: both kinds of quotes, a dollar quote, a backslash.
    static let awkwardName = #""we""ird '$$ \x Name""#
    let schema = WorkshopSchema(quotedName: SchemaTests.awkwardName)
    /// All statements, in their order.
    private var statements: [String] {
        schema.tableStatements + (WorkshopSchema.views + WorkshopSchema.firstViews).map(schema.createView)
    }
    private var settlingStatements: [String] { RowTable.all.flatMap(schema.settlingStatements) }

    /// Without its schema a name would depend on the user's search_path.
    @Test func namesTheSchemaBeforeEveryTableAndView() throws {
        // Each of these words is followed by a table or view of the schema, or by a part of the query itself.
        let introduction = /(?:FROM|JOIN|INTO|EXISTS|VIEW|INHERITS)\s(?:\(?ONLY\s)?/
        let partsOfTheQuery: Set = ["(", "(SELECT", "(VALUES", "LATERAL", "per_hour", "span"]
        var named: Set<String> = []
        for statement in statements {
            for match in statement.matches(of: introduction) {
                let isExtract = statement[..<match.range.lowerBound].hasSuffix("extract(hour ")
                let rest = statement[match.range.upperBound...]
                let word = rest.prefix { !$0.isWhitespace }
                if isExtract || partsOfTheQuery.contains(String(word)) { continue }
                try #require(rest.hasPrefix(Self.awkwardName + "."), "\(word) in: \(statement)")
                named.insert(String(rest.dropFirst(Self.awkwardName.count + 1).prefix { $0.isLetter || $0 == "_" }))
            }
        }
        let made =
            WorkshopSchema.tables.map(\.name) + WorkshopSchema.views.map(\.name)
            + RowTable.all.flatMap { [$0.settled, $0.countFunction] }
        #expect(named == Set(made))
    }

    @Test func statementsCanBeRepeated() {
        for statement in statements + settlingStatements {
            #expect(!statement.contains("DROP"))
            for match in statement.matches(of: /CREATE (\w+(?: \w+)?)/) {
                switch match.1 {
                case "TABLE IF", "INDEX IF", "OR REPLACE": break
                default: Issue.record("CREATE \(match.1) can't be sent twice")
                }
            }
            if statement.contains("INSERT") { #expect(statement.contains("WHERE NOT EXISTS")) }
        }
    }

    @Test func createsTablesThenRowsThenViews() {
        let kinds = statements.map { statement in
            if statement.hasPrefix("CREATE TABLE") { return 1 }
            if statement.hasPrefix("INSERT INTO") { return 2 }
            return statement.hasPrefix("CREATE OR REPLACE VIEW") ? 3 : 0
        }
        #expect(kinds == kinds.sorted())
        #expect(Set(kinds) == [1, 2, 3])
    }

    /// A statement contains the user's name as libpq quoted it, and never inside a constant.
    @Test func schemaNameIsNeverInsideAConstant() {
        for statement in statements + settlingStatements {
            var rest = statement[...]
            while let name = rest.firstRange(of: Self.awkwardName) {
                #expect(rest[..<name.lowerBound].count { $0 == "'" } % 2 == 0, "\(statement)")
                rest = rest[name.upperBound...]
            }
            #expect(!rest.contains("weird"))
        }
    }

    @Test func createsTheRequiredTables() {
        let made = Set(WorkshopSchema.tables.map(\.name) + OwnTables.all.map(\.name))
        #expect(made.isSuperset(of: WorkshopSchema.requiredTables(of: nil)))
    }

    @Test func quotesColumnsThatAreReservedWords() {
        for word in ["topic", "partition", "offset", "timestamp"] {
            #expect(OwnTables.deadLetter.lines.contains { $0.hasPrefix("\"\(word)\" ") })
        }
    }
}
