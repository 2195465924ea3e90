import PGWire
import Testing

/// Connection strings that libpq would misparse: refused before connecting, and not quoted in errors.
@Suite struct ConnectionStringTests {
    @Test(arguments: [
        "postgressql://user:sesame@localhost/db", "mysql://user:sesame@localhost/db", "user:sesame@localhost",
        "http://user:sesame@localhost/?a=b", "postgres://user:p@sesame@localhost/db",
        "postgres://user:sesame/x@localhost/db", "postgres://user:%zzsesame@localhost/db",
        "postgres://localhost:sesame/db", "postgres://localhost/db?passwort=sesame", "password='sesame",
        "host=localhost sesame", "user=a passwort=sesame", "postgres://user@localhost:123456/sesame",
        "postgres://[::1/sesame", "a\0sesame",
        // A quote in the password, which libpq's message quotes.
        "postgres://user:\"%zzsesame@localhost/db", "postgres://user:a\"b\"%zsesame@localhost/db",
        "user=a \"sesame", "user=a =\"sesame",
        // Characters with a combining mark: different `Character`s, but the same bytes.
        "user:\u{301}sesame@\u{301}localhost", "postgres://user:p@\u{301}sesame@\u{301}localhost/db",
        "postgres://user:sesame/x@\u{301}localhost/db", "postgres:/\u{301}/user:sesame@localhost/db",
    ])
    func garbage(_ string: String) async throws {
        do {
            let connection = try await PostgresConnection.connect(to: string, options: ["connect_timeout": "1"])
            await connection.close()
            Issue.record("\(string) is taken for a connection string")
        } catch {
            #expect(error.kind == .usage)
            #expect(!"\(error)".contains("sesame"))
        }
    }

    @Test func unknownOption() async throws {
        await #expect(throws: PostgresError.self) {
            _ = try await PostgresConnection.connect(to: nil, options: ["no_such_option": "1"])
        }
    }
}
