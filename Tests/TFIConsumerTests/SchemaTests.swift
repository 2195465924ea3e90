import Testing

@testable import TFIConsumer

@Suite("Schema statements")
struct SchemaTests {
    /// A legal name that goes wrong wherever it is quoted by hand: both kinds of quotes, a dollar quote, a backslash.
    static let awkwardName = #""we""ird '$$ \x Name""#
    let schema = WorkshopSchema(quotedName: SchemaTests.awkwardName)

    /// Without its schema a name would mean whatever the user's search_path says.
    @Test func namesTheSchemaBeforeEveryTableAndView() throws {
        // What these words introduce is a table or view of the schema, or a part of the query itself.
        let introduction = /(?:FROM|JOIN|INTO|EXISTS|VIEW)\s/
        let partsOfTheQuery: Set = ["(", "(SELECT", "(VALUES", "LATERAL", "per_hour", "span"]
        var named: Set<String> = []
        // The DO block names nothing but the schema.
        for statement in schema.initStatements where !statement.hasPrefix("DO ") {
            for match in statement.matches(of: introduction) {
                let isExtract = statement[..<match.range.lowerBound].hasSuffix("extract(hour ")
                let rest = statement[match.range.upperBound...]
                let word = rest.prefix { !$0.isWhitespace }
                if isExtract || partsOfTheQuery.contains(String(word)) { continue }
                try #require(rest.hasPrefix(Self.awkwardName + "."), "\(word) in: \(statement)")
                named.insert(String(rest.dropFirst(Self.awkwardName.count + 1).prefix { $0.isLetter || $0 == "_" }))
            }
        }
        #expect(named == Set(WorkshopSchema.tables.map(\.name) + WorkshopSchema.views.map(\.name)))
    }

    @Test func everyStatementCanBeSentAgain() {
        for statement in schema.initStatements {
            #expect(!statement.contains("DROP"))
            for match in statement.matches(of: /CREATE (\w+(?: \w+)?)/) {
                switch match.1 {
                case "TABLE IF", "OR REPLACE": break
                case "SCHEMA": #expect(statement.contains("IS NULL THEN"))
                default: Issue.record("CREATE \(match.1) can't be sent twice")
                }
            }
            if statement.contains("INSERT") { #expect(statement.contains("WHERE NOT EXISTS")) }
        }
    }

    @Test func theLockIsTakenBeforeAnythingIsMade() throws {
        let statements = schema.initStatements
        let lock = try #require(statements.firstIndex { $0.contains("pg_advisory_xact_lock") })
        let first = try #require(statements.firstIndex { $0.contains("CREATE") })
        let waiting = try #require(statements.firstIndex { $0.contains("lock_timeout") })
        // PostgreSQL refuses it once a transaction has run a query.
        #expect(statements.first == "SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
        #expect(waiting < lock)
        #expect(lock < first)
    }

    @Test func theSchemaIsMadeBeforeItsTablesAndThoseBeforeTheViews() {
        let kinds = schema.initStatements.compactMap { statement -> Int? in
            if statement.contains("CREATE SCHEMA") { return 0 }
            if statement.hasPrefix("CREATE TABLE") { return 1 }
            if statement.hasPrefix("INSERT INTO") { return 2 }
            return statement.hasPrefix("CREATE OR REPLACE VIEW") ? 3 : nil
        }
        #expect(kinds == kinds.sorted())
        #expect(Set(kinds) == [0, 1, 2, 3])
    }

    @Test func namesInStringConstantsDoubleTheirQuotes() throws {
        let inConstant = #"'"we""ird ''$$ \x Name"'"#
        #expect(schema.missingTablesQuery.contains("to_regclass(\(inConstant) || '.' || wanted.name)"))
        // Once more for the block that is itself a constant.
        let block = try #require(schema.initStatements.first { $0.hasPrefix("DO ") })
        #expect(block.contains(#"to_regnamespace(''"we""ird ''''$$ \x Name"'')"#))
        #expect(block.contains(#"CREATE SCHEMA "we""ird ''$$ \x Name";"#))
    }

    @Test func requiredTablesAreMade() {
        let made = Set(WorkshopSchema.tables.map(\.name))
        #expect(made.isSuperset(of: WorkshopSchema.requiredTables))
        for table in WorkshopSchema.requiredTables {
            #expect(schema.missingTablesQuery.contains("('\(table)')"))
        }
    }

    @Test func columnsThatAreReservedWordsAreQuoted() throws {
        let table = try #require(WorkshopSchema.tables.first { $0.name == "dead_letter" })
        for word in ["topic", "partition", "offset", "timestamp"] {
            #expect(table.definition.contains { $0.hasPrefix("\"\(word)\" ") })
        }
    }
}
