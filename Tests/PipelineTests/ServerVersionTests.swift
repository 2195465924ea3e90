import Foundation
import KafkaFake
import KafkaWire
import TestSupport
import Testing

extension DatabaseTests {
    /// What must hold with each available version of Postgres.
    @Suite struct ServerVersionTests {
        /// The columns that a message can set. The first is the key.
        private static let columns: [(name: String, type: String)] = [
            ("id", "bigint PRIMARY KEY"), ("a_bool", "boolean"), ("a_int2", "smallint"), ("a_int4", "integer"),
            ("a_float4", "real"), ("a_float8", "double precision"), ("a_numeric", "numeric"),
            ("money", "numeric(7,2)"), ("a_text", "text"), ("a_varchar", "varchar(5)"), ("a_char", "char(3)"),
            ("a_bytea", "bytea"), ("a_date", "date"), ("a_time", "time"), ("a_timestamp", "timestamp"),
            ("a_timestamptz", "timestamptz"), ("a_interval", "interval"), ("a_uuid", "uuid"), ("a_json", "json"),
            ("a_jsonb", "jsonb"), ("a_inet", "inet"), ("a_mood", "mood"), ("a_positive", "positive"),
            ("integers", "integer[]"), ("texts", "text[]"), ("numerics", "numeric[]"), ("instants", "timestamptz[]"),
        ]

        private static func message(_ id: Int) -> String {
            let date = id % 7 == 0 ? "Mar 3 2024" : "2024-03-0\(1 + id % 9)"
            return """
                {"id":\(id),"a_bool":\(id % 2 == 0),"a_int2":\(id - 30),"a_int4":"\(id)","a_float4":0.\(id),\
                "a_float8":1e\(id),"a_numeric":123456789012345678901234567890.\(id),"money":\(id).005,\
                "a_text":"Größe \\u00fc \\"\(id)\\"","a_varchar":"\(id)","a_char":"\(id)","a_bytea":"\\\\x00ff\(10 + id % 80)",\
                "a_date":"\(date)","a_time":"08:00:\(10 + id % 50).5","a_timestamp":"\(date) 08:00:00",\
                "a_timestamptz":"2024-03-10T01:59:59.999999+01:30","a_interval":"\(id) days 3 hours",\
                "a_uuid":"00000000-0000-4000-8000-0000000000\(10 + id % 80)","a_json":{ "k" : [\(id), null] },\
                "a_jsonb":{"b":1.50,"a":[true,"\(id)"],"b":2},"a_inet":"10.0.0.\(id)/24","a_mood":"running",\
                "a_positive":\(id + 1),"integers":[\(id),null,-1],"texts":["a","b,{}",null],\
                "numerics":[1.\(id),"NaN"],"instants":["2024-07-01T00:00:00Z","2024-01-01 00:00:00+00"]}
                """
        }

        /// The built-in mapping with its views; columns of every type, compared with `json_populate_record`; columns
        /// that only the database writes; upsert with deletions.
        @Test(arguments: PostgresHome.all)
        func everyServerVersionWorks(home: PostgresHome) async throws {
            let postgres = try await PostgresServer.start(home)
            let pipeline = try await FakePipeline.make(postgres: postgres)
            try await pipeline.send((0..<1_000).map { pipeline.passage($0) })
            let plant = try await pipeline.catchUp()
            try #require(plant.status == 0, "\(plant.err)")
            #expect(try await pipeline.units() == Array(0..<1_000))
            #expect(try await pipeline.number("SELECT units FROM tile_units_per_zone WHERE zone_id = 7") == 1_000)

            let version = try await pipeline.number("SHOW server_version_num")
            let definitions = Self.columns.map { "\($0.name) \($0.type)" }.joined(separator: ", ")
            try await pipeline.sql(
                """
                CREATE TYPE mood AS ENUM ('idle', 'running'); CREATE DOMAIN positive AS integer CHECK (value > 0);
                CREATE TABLE expected (\(definitions));
                CREATE TABLE actual (\(definitions),
                    twice bigint GENERATED ALWAYS AS (id * 2) \(version < 180_000 ? "STORED" : "VIRTUAL"),
                    number bigint GENERATED ALWAYS AS IDENTITY, note text DEFAULT 'made');
                \(StateModel.tables)
                """)
            for topic in ["every", "state"] { pipeline.fake.createTopic(topic, partitions: 2) }
            let messages = (0..<200).map(Self.message)
            let refused = #"{"id":1000,"a_positive":-1}"#
            try await pipeline.send(
                (messages + [refused]).map { ProducerRecord(topic: "every", partition: 0, value: Array($0.utf8)) })
            let states = StateModel.records(2_000, ids: 300, seed: 3)
            try await pipeline.sendStates(states)
            let folder = try TemporaryFolder()
            let file = folder.url.appending(path: "mapping.yaml")
            try """
            routes:
              - { topic: every, table: \(pipeline.schema).actual }
              - topic: state
                table: \(pipeline.schema).state
                mode: upsert
                tombstone: delete
                columns: { id: id, n: n, at: at }
            """.write(to: file, atomically: true, encoding: .utf8)
            let result = try await pipeline.catchUp(["--mapping", file.path, "--group", "every"])
            try #require(result.status == 0, "\(result.err)")
            #expect(try await pipeline.number("SELECT count(*) FROM dead_letter") == 1)

            let names = Self.columns.map(\.name).joined(separator: ", ")
            try await pipeline.sql(
                """
                INSERT INTO expected SELECT * FROM json_populate_recordset(
                    null::expected, $m$[\(messages.joined(separator: ","))]$m$)
                """)
            func rows(_ table: String) async throws -> [[String]] {
                try await pipeline.sql("SELECT t::text FROM (SELECT \(names) FROM \(table) ORDER BY id) AS t")
            }
            #expect(try await rows("actual") == rows("expected"))
            #expect(
                try await pipeline.number(
                    "SELECT count(number) FROM actual WHERE twice = 2 * id AND note = 'made'") == 200)
            var model = StateModel(known: [])
            for state in states { model.apply(state) }
            #expect(try await pipeline.sql(StateModel.query) == model.table)
            await pipeline.close()
            try await postgres.shutDown()
        }
    }
}
