import IngestEngine
import PGWire
import TestSupport
import Testing

@testable import TFIConsumer

/// The plant's tables and views in a separate schema, which is the connection's search path.
struct PlantSchema {
    let connection: PostgresConnection
    let name: String
    let schema: WorkshopSchema

    static func make(
        _ name: String, over prepared: String = "", plant: PlantName? = nil
    ) async throws -> PlantSchema {
        let connection = try await PostgresConnection.connect(to: try await PostgresServer.shared().uri)
        let quoted = try await connection.quoted(name)
        try await connection.execute(
            "SET client_min_messages = error; DROP SCHEMA IF EXISTS \(quoted) CASCADE; CREATE SCHEMA \(quoted);"
                + " SET search_path = \(quoted); \(prepared)")
        let plant = PlantSchema(
            connection: connection, name: name, schema: WorkshopSchema(quotedName: quoted, plant: plant))
        try await plant.initialize()
        return plant
    }

    /// - Returns: The names of views that were changed by hand.
    @discardableResult
    func initialize() async throws -> [String] {
        let tables = OwnTables(schema: name, quotedSchema: schema.quotedName)
        let schema = schema
        return try await connection.transaction { session in
            _ = try tables.create(&session, program: "test")
            return try schema.create(&session, replacingViews: false)
        }
    }

    /// Another plant in the same schema.
    func another(plant: PlantName) async throws -> PlantSchema {
        let other = try await another()
        let second = PlantSchema(
            connection: other.connection, name: name,
            schema: WorkshopSchema(quotedName: schema.quotedName, plant: plant))
        try await second.initialize()
        return second
    }

    /// A second connection with the same search path.
    func another() async throws -> PlantSchema {
        let connection = try await PostgresConnection.connect(to: try await PostgresServer.shared().uri)
        try await connection.execute("SET search_path = \(schema.quotedName)")
        return PlantSchema(connection: connection, name: name, schema: schema)
    }

    func execute(_ sql: String) async throws { try await connection.execute(sql) }

    func rows(_ sql: String) async throws -> [[String?]] {
        let result = try await connection.query(sql)
        return result.rows.map(\.values)
    }

    func number(_ sql: String) async throws -> Int {
        Int(try #require(try await rows(sql).first?.first.flatMap(\.self))) ?? -1
    }

    func settler(_ table: RowTable) -> RowSettler { RowSettler(schema: schema, table: table) }

    /// Moves all recent rows.
    @discardableResult
    func settle(_ table: RowTable, limit: Int = 1_000) async throws -> Int {
        var (moved, block) = (0, 0 as Int?)
        while let next = block {
            switch try await settler(table).step(from: next, limit: limit, over: connection) {
            case .moved(let count, let next):
                moved += count
                block = next
            case .counted: break
            case .busy, .impossible: return moved
            }
        }
        return moved
    }

    /// The names of views whose contents differ from the results of the first version's queries on the same rows.
    func wrongViews() async throws -> [String] {
        let schema = schema
        return try await connection.transaction(
            prelude: "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SET LOCAL search_path = \(schema.quotedName)"
        ) { session in
            var wrong: [String] = []
            for view in WorkshopSchema.firstViews {
                let columns = (1...view.columns.count).map(String.init).joined(separator: ", ")
                let found = try session.query("SELECT * FROM \(schema.named(view.name)) ORDER BY \(columns)")
                let expected = try session.query("SELECT * FROM (\(view.query(schema))) AS q ORDER BY \(columns)")
                if Self.texts(found) != Self.texts(expected) { wrong.append(view.name) }
            }
            return wrong
        }
    }

    private static func texts(_ result: PostgresResult) -> [[String?]] {
        result.rows.map(\.values)
    }
}
