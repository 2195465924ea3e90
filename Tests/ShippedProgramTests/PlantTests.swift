import Foundation
import PGWire
import TestSupport
import Testing

extension ShippedPrograms {
    /// `tfi-producer generate` and `tfi-consumer`, over each kind of security and with each codec.
    @Suite struct PlantTests {
        @Test(
            "each row of a generated plant is in the database",
            arguments: [
                (KafkaSecurity.plain, "none"), (.tls, "gzip"), (.mutualTLS, "snappy"), (.saslPlain, "lz4"),
                (.scramSHA256, "zstd"), (.scramSHA512, "none"), (.oauthBearer, "gzip"),
            ])
        func plant(_ security: KafkaSecurity, _ codec: String) async throws {
            let topic = try await SecureTopic(security, partitions: 3)
            let postgres = try await PostgresServer.shared()
            let cluster = [
                "--bootstrap-servers", topic.bootstrap, "--topic", topic.name, "--config", topic.propertiesFile,
            ]
            let database = ["--database", postgres.uri, "--schema", topic.name]
            func generate(_ count: Int, seed: Int) async throws {
                let result = try await run(
                    "tfi-producer",
                    ["generate", "--records", "\(count)", "--seed", "\(seed)", "--summary-json"] + cluster
                        + ["--property", "compression.type=\(codec)"],
                    status: 0)
                #expect(try summary(result)["records"] as? Int == count)
            }
            func catchUp() async throws -> NSDictionary {
                try summary(
                    try await run(
                        "tfi-consumer", ["run", "--until-caught-up", "--summary-json"] + cluster + database, status: 0))
            }

            try await run("tfi-consumer", ["init"] + database, status: 0)
            try await generate(8000, seed: 1)
            let first = try await catchUp()
            #expect(first["records"] as? Int == 8000)
            #expect(first["dead_letters"] as? Int == 0)
            // The second run continues after the first one. One of its messages cannot become a row.
            try await generate(2000, seed: 2)
            try await topic.kafkawire(
                ["-P", "-t", topic.name, "-k", "unit_concern", "-p", "1"], input: "{\"qls_unit_id\":\"none\"}\n")
            let second = try await catchUp()
            #expect(second["records"] as? Int == 2001)
            #expect(second["dead_letters"] as? Int == 1)

            let messages = try await topic.readAll(["-f", "%k %s\\n"])
            let passages = try rows(
                messages, key: "unit_collection_point",
                columns: ["qls_unit_id", "unit_collection_pt_timestamp", "collection_point_id", "zone_id"])
            let concerns = try rows(
                messages.filter { !$0.hasSuffix("{\"qls_unit_id\":\"none\"}") }, key: "unit_concern",
                columns: [
                    "qls_unit_id", "unit_collection_pt_timestamp", "collection_point_id", "concern_id",
                    "zone_charged_id",
                ])
            #expect(passages.count + concerns.count == 10_000)
            let tables = try await Tables(uri: postgres.uri, schema: topic.name)
            expectSame(
                try await tables.rows(
                    "SELECT qls_unit_id, \(Tables.time), collection_point_id, zone_id FROM ucp"),
                passages, "the table ucp by \(security) with \(codec)")
            expectSame(
                try await tables.rows(
                    "SELECT qls_unit_id, \(Tables.time), collection_point_id, concern_id, zone_charged_id FROM uc"),
                concerns, "the table uc by \(security) with \(codec)")
            #expect(
                try await tables.rows("SELECT partition, convert_from(value, 'UTF8') FROM dead_letter")
                    == ["1|{\"qls_unit_id\":\"none\"}"])
            await tables.connection.close()

            let status = try await run("tfi-consumer", ["status", "--json"] + cluster + database, status: 0)
            let partitions = try #require(
                try JSONSerialization.jsonObject(with: Data(status.out.utf8)) as? [NSDictionary])
            #expect(partitions.map { $0["lag"] as? Int } == [0, 0, 0], "\(status.out)")
            #expect(partitions.compactMap { $0["committed"] as? Int }.reduce(0, +) == 10_001, "\(status.out)")
        }

        /// The JSON object in the last line of a program's output.
        private func summary(_ result: ProgramResult) throws -> NSDictionary {
            let line = try #require(lines(result.out).last, "\(result.err)")
            return try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? NSDictionary, "\(line)")
        }

        /// The values of the messages (`KEY JSON`) with a key, as sorted lines.
        private func rows(_ messages: [String], key: String, columns: [String]) throws -> [String] {
            try messages.filter { $0.hasPrefix(key + " ") }.map { message in
                let json = message.dropFirst(key.count + 1)
                let object = try #require(
                    try JSONSerialization.jsonObject(with: Data(json.utf8)) as? NSDictionary, "\(message)")
                return columns.map { "\(object[$0] ?? "nothing")" }.joined(separator: "|")
            }.sorted()
        }
    }
}

/// The tables of one schema, read over a separate connection.
private struct Tables {
    /// The time in the messages' format.
    static let time =
        "to_char(unit_collection_pt_timestamp, 'YYYY-MM-DD HH24:MI:SS.') || "
        + "(extract(millisecond FROM unit_collection_pt_timestamp)::int % 1000 / 100)"

    let connection: PostgresConnection

    init(uri: String, schema: String) async throws {
        connection = try await PostgresConnection.connect(to: uri)
        try await connection.execute("SET search_path = \(try connection.quoted(schema))")
    }

    /// The rows as sorted lines.
    func rows(_ query: String) async throws -> [String] {
        let result = try await connection.execute(query)
        return result.rows.map { row in
            result.columns.indices.map { row[$0] ?? "null" }.joined(separator: "|")
        }.sorted()
    }
}
