import Foundation
import TestSupport
import Testing

extension PipelineTests {
    /// Schema names that escape from a constant or identifier if it is quoted by `Character`.
    @Suite struct SchemaNameTests {
        /// U+0600 with a quote, and a quote with a combining mark, are each a single `Character`, but not a quote.
        private static let attack = "; CREATE TABLE public.owned (); --"

        @Test(arguments: [
            "a\u{600}'\(attack)", "a'\u{301}\(attack)", "a\u{600}''); END; $$\(attack)", "a\u{600}\"\(attack)",
            "a\"\u{301}\(attack)", "a\\'\u{301}\(attack)", #"a\"#, #"we""ird '$$ \x Name"#, "a\u{600}$body$\(attack)",
        ])
        func aNameIsOnlyAName(name: String) async throws {
            // A server with a different `standard_conforming_strings` must not matter either.
            let server = try await PostgresServer.shared()
            for more in ["", "?options=-c%20standard_conforming_strings%3Doff"] {
                let database = ["--database", server.uri + more, "--schema", name + (more.isEmpty ? "" : "2")]
                for _ in 0..<2 {
                    let result = try await run(
                        try Repository.program("tfi-consumer"), ["init"] + database, timeout: .seconds(30))
                    #expect(result.status == 0, "\(result.err)")
                }
            }
            let pipeline = try await Pipeline.make(postgres: server)
            #expect(try await pipeline.number("SELECT count(*) FROM pg_class WHERE relname = 'owned'") == 0)
            let bytes = Data(name.utf8).base64EncodedString()
            let tables = try await pipeline.number(
                """
                SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = convert_from(decode('\(bytes)', 'base64'), 'UTF8') AND c.relkind = 'r'
                """)
            #expect(tables == 13)
            // `run` and `status` find everything under the same name.
            let status = try await pipeline.consumer(
                ["status"] + pipeline.clusterOptions + ["--database", server.uri, "--schema", name])
            #expect(status.status == 0, "\(status.err)")
        }
    }
}
