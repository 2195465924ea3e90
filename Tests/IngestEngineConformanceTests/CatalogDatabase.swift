import PGWire
import TestSupport

@testable import IngestEngine

/// A test's own schema with the tables that the test creates, used as the connection's search path.
struct CatalogDatabase {
    let connection: PostgresConnection
    let schema: String

    static func make(_ schema: String, _ sql: String) async throws -> CatalogDatabase {
        let server = try await PostgresServer.shared()
        let connection = try await PostgresConnection.connect(to: server.uri)
        let name = try await connection.quoted(schema)
        try await connection.execute(
            "SET client_min_messages = error; DROP SCHEMA IF EXISTS \(name) CASCADE; CREATE SCHEMA \(name);"
                + " SET search_path = \(name)")
        try await connection.execute(sql)
        return CatalogDatabase(connection: connection, schema: schema)
    }

    /// A second connection with the same search path.
    func another() async throws -> CatalogDatabase {
        let connection = try await PostgresConnection.connect(to: try await PostgresServer.shared().uri)
        try await connection.execute("SET search_path = \(try await connection.quoted(schema))")
        return CatalogDatabase(connection: connection, schema: schema)
    }

    func execute(_ sql: String) async throws { try await connection.execute(sql) }

    /// Runs statements one after the other in a role that exists only while the closure runs.
    func withRole<Value>(
        _ name: String, grants: String, _ body: () async throws -> Value
    ) async throws -> Value {
        try await execute("DROP ROLE IF EXISTS \(name); CREATE ROLE \(name)")
        try await execute("GRANT USAGE ON SCHEMA \(try await connection.quoted(schema)) TO \(name)")
        if !grants.isEmpty { try await execute(grants) }
        try await execute("SET ROLE \(name)")
        let result: Result<Value, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        try await execute("RESET ROLE; DROP OWNED BY \(name); DROP ROLE \(name)")
        return try result.get()
    }

    func catalog(_ tables: String...) async throws -> Catalog {
        let names = tables.compactMap { TableName(parsing: $0) }
        return try await connection.transaction { session in try Catalog.read(names, &session) }
    }

    func shape(_ table: String) async throws -> TableShape {
        try await catalog(table).tables.values.first.map { try $0.get() }
            ?? TableShape(
                name: TableName(table: ""), columns: [])
    }

    /// The reason why rows can't be written to a table.
    func problem(_ table: String) async throws -> String {
        switch try await catalog(table).tables.values.first {
        case .failure(let error): error.message
        case .success, nil: "no problem"
        }
    }

    /// Binds a mapping in YAML to its tables.
    func bind(_ yaml: String) async throws -> [BoundRoute] {
        let mapping = try MappingFile.read(Array(yaml.utf8), named: "m.yaml")
        let names = mapping.routes.map(\.table)
        let catalog = try await connection.transaction { session in try Catalog.read(names, &session) }
        return try await connection.transaction { session in
            try Binder.bind(mapping, to: catalog, file: "m.yaml", &session)
        }
    }

    /// The error of binding a mapping.
    func mistake(_ yaml: String) async throws -> String {
        do {
            _ = try await bind(yaml)
            return "no mistake"
        } catch let error as BindingError {
            return error.description
        }
    }
}
