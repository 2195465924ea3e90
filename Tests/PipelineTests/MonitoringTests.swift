import Foundation
import KafkaWire
import TestSupport
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

extension DatabaseTests {
    /// A run's reports about itself, in its log and over HTTP.
    @Suite struct MonitoringTests {
        /// The address of the pages that the run has logged.
        private static func pages(of run: RunningProgram) async throws -> String {
            var address: String?
            try await eventually("the run serves its pages") {
                address = try run.errors().firstMatch(of: /serving url=(\S+)\/\n/).map { String($0.1) }
                return address != nil
            }
            return try #require(address)
        }

        private static func get(_ url: String) async throws -> (status: Int, text: String) {
            let (data, response) = try await URLSession.shared.data(from: try #require(URL(string: url)))
            let status = try #require(response as? HTTPURLResponse).statusCode
            return (status, String(decoding: data, as: UTF8.self))
        }

        /// The value of a metric with its labels.
        private static func value(of name: String, in figures: String) -> Double? {
            figures.split(separator: "\n").first { $0.hasPrefix(name + " ") }
                .flatMap { Double($0.dropFirst(name.utf8.count + 1)) }
        }

        @Test func figuresFollowTheRun() async throws {
            let pipeline = try await FakePipeline.make(partitions: 2)
            let run = try await pipeline.startConsumer(["--http", "0"])
            let pages = try await Self.pages(of: run)
            try await eventually("it is ready") { try await Self.get("\(pages)/readyz") == (200, "ready\n") }
            #expect(try await Self.get("\(pages)/healthz") == (200, "the process is healthy\n"))
            #expect(try await Self.get("\(pages)/nothing").status == 404)
            try await pipeline.send((0..<100).map { pipeline.passage($0) })
            try await pipeline.send([
                ProducerRecord(topic: FakePipeline.topic, partition: 1, key: [0x78], value: [0x79])
            ])
            try await eventually("everything is committed") { try await pipeline.committed() == 101 }
            var figures = ""
            try await eventually("the metrics include everything") {
                figures = try await Self.get("\(pages)/metrics").text
                return Self.value(of: "tfi_consumer_records_total", in: figures) == 101
                    && Self.value(of: "tfi_consumer_lag_records{topic=\"TFI\",partition=\"1\"}", in: figures) == 0
            }
            func value(_ name: String) -> Double? { Self.value(of: "tfi_consumer_" + name, in: figures) }
            #expect(value("rows_total{table=\"ucp\"}") == 100)
            #expect(value("rows_total{table=\"uc\"}") == 0)
            #expect(value("dead_letters_total{reason=\"no route takes the record with the key ''\"}") == 1)
            #expect(value("record_latency_seconds_count") == 101)
            #expect(value("record_latency_seconds_bucket{le=\"+Inf\"}") == 101)
            #expect(value("batch_records_sum") == 101)
            // Counted at the start, and then every half minute.
            #expect([0, 1].contains(try #require(value("open_dead_letters"))))
            #expect(value("rejected_records_total") == 1)
            #expect(value("assigned_partitions") == 2)
            #expect(value("failed_partitions") == 0)
            #expect(value("oldest_record_age_seconds") == 0)
            #expect(value("ready") == 1)
            #expect(try #require(value("broker_connections_total")) > 0)
            #expect(value("database_connections_total") == 1)
            #expect(value("rebalances_total{change=\"assigned\"}") == 1)
            #expect(try #require(Self.value(of: "process_resident_memory_bytes", in: figures)) > 1e6)
            if Promtool.isAvailable {
                let checked = try await Promtool.run(["check", "metrics"], input: figures)
                #expect(checked.status == 0 && checked.out.isEmpty && checked.err.isEmpty, "\(checked)")
            }
            let result = try await endInOrder(run)
            for part in [
                " info started version=",
                " group=tfi-consumer workers=1 standalone=false topics=TFI tables=ucp,uc "
                    + "positions=\"TFI-0@0 TFI-1@0\"\n", " info partitions assigned group=tfi-consumer ",
                " warning dead letter: partition 1, offset ", " info 101 records: 100 rows (100 in ucp, 0 in uc), ",
            ] {
                #expect(result.err.contains(part), "\(part) in \(result.err)")
            }
            await pipeline.close()
        }

        @Test func aRunWithoutItsDatabaseIsNotReadyAndSaysWhy() async throws {
            let postgres = try await PostgresServer.start()
            let pipeline = try await FakePipeline.make(partitions: 1, postgres: postgres)
            let run = try await pipeline.startConsumer(["--http", "127.0.0.1:0"])
            let pages = try await Self.pages(of: run)
            try await eventually("it is ready") { try await Self.get("\(pages)/readyz").status == 200 }
            try await postgres.stop()
            try await pipeline.send([pipeline.passage(0, partitions: 1)])
            try await eventually("it is not ready") {
                let answer = try await Self.get("\(pages)/readyz")
                return answer.status == 503 && answer.text.contains("waiting for the database: ")
            }
            #expect(try await Self.get("\(pages)/healthz").status == 200)
            let figures = try await Self.get("\(pages)/metrics").text
            #expect(Self.value(of: "tfi_consumer_ready", in: figures) == 0)
            #expect(Self.value(of: "tfi_consumer_lag_records{topic=\"TFI\",partition=\"0\"}", in: figures) == 1)
            #expect(try #require(Self.value(of: "tfi_consumer_oldest_record_age_seconds", in: figures)) > 0)
            try await postgres.startAgain()
            try await eventually("it is ready again") { try await Self.get("\(pages)/readyz").status == 200 }
            try await endInOrder(run)
            await pipeline.close()
        }

        @Test(arguments: [[], ["--standalone"]])
        func aRunWithSilentBrokersIsNotReady(mode: [String]) async throws {
            let pipeline = try await FakePipeline.make(partitions: 1)
            let run = try await pipeline.startConsumer(mode + ["--http", "0"])
            let pages = try await Self.pages(of: run)
            try await eventually("it is ready") { try await Self.get("\(pages)/readyz").status == 200 }
            await pipeline.fake.stop(broker: 1)
            var answer = try await Self.get("\(pages)/readyz")
            do {
                try await eventually("it is not ready") {
                    answer = try await Self.get("\(pages)/readyz")
                    // A member that was about to rejoin its group, or to look up its positions, says that instead.
                    return answer.status == 503
                        && [
                            "has had no answer from a broker for ", "no broker can be reached",
                            "has no partitions yet",
                        ].contains { answer.text.contains($0) }
                }
            } catch {
                Issue.record("the last answer: \(answer)")
                throw error
            }
            try pipeline.fake.start(broker: 1)
            try await eventually("it is ready again") { try await Self.get("\(pages)/readyz").status == 200 }
            try await endInOrder(run, within: .seconds(8))
            await pipeline.close()
        }

        /// A user who may write dead letters but not read them.
        @Test func aRunNeedsNoPrivilegeToReadLetters() async throws {
            let pipeline = try await FakePipeline.make(partitions: 1)
            let role = "monitored_\(pipeline.schema)"
            try await pipeline.sql(
                """
                CREATE ROLE \(role) LOGIN; GRANT USAGE ON SCHEMA "\(pipeline.schema)" TO \(role);
                GRANT INSERT ON ucp, uc, dead_letter TO \(role); GRANT SELECT ON schema_version TO \(role);
                GRANT SELECT, INSERT, UPDATE ON kafka_offset TO \(role)
                """)
            let uri = pipeline.postgres.uri.replacing("postgres@", with: "\(role)@")
            let run = try await pipeline.startConsumer(["--http", "0"], database: uri)
            let pages = try await Self.pages(of: run)
            try await eventually("it is ready") { try await Self.get("\(pages)/readyz").status == 200 }
            try await pipeline.send([pipeline.passage(1, partitions: 1)])
            try await eventually("the row is there") { try await pipeline.units() == [1] }
            #expect(try await Self.get("\(pages)/readyz").status == 200)
            #expect(try await !Self.get("\(pages)/metrics").text.contains("open_dead_letters"))
            let result = try await endInOrder(run)
            #expect(!result.err.contains(" warning "), "\(result.err)")
            try await pipeline.sql("DROP OWNED BY \(role); DROP ROLE \(role)")
            await pipeline.close()
        }

        @Test func theLogCanBeJSON() async throws {
            let pipeline = try await FakePipeline.make(partitions: 1)
            let result = try await pipeline.catchUp(["--log-format", "json"])
            let lines = try result.err.split(separator: "\n").map { line in
                try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            }
            let started = try #require(lines.first { $0["message"] as? String == "started" })
            #expect(started["level"] as? String == "info")
            #expect(started["topics"] as? String == "TFI")
            #expect(started["workers"] as? Int == 1)
            let quiet = try await pipeline.catchUp(["--log-level", "error"])
            #expect(quiet.status == 0 && quiet.err.isEmpty, "\(quiet.err)")
            let failed = try await pipeline.catchUp(["--log-format", "json", "--topic", "missing"])
            let last = try #require(failed.err.split(separator: "\n").last)
            let object = try #require(try JSONSerialization.jsonObject(with: Data(last.utf8)) as? [String: Any])
            #expect(object["level"] as? String == "error")
            #expect(object["status"] as? Int == Int(failed.status))
            await pipeline.close()
        }

        @Test func aUsedPortEndsTheRunAtItsStart() async throws {
            let pipeline = try await FakePipeline.make(partitions: 1)
            let run = try await pipeline.startConsumer(["--http", "0"])
            let address = try await Self.pages(of: run).replacing("http://", with: "")
            let second = try await pipeline.catchUp(["--http", address])
            #expect(second.status == 69)
            #expect(second.err.contains("--http: cannot listen at \(address): Address already in use"))
            try await endInOrder(run)
            await pipeline.close()
        }

        @Test(.enabled(if: Promtool.isAvailable, "\(Promtool.skipReason)"))
        func theAlertsAreRulesForPrometheus() async throws {
            let path = Repository.root.appending(path: "Operations/alerts.yml").path
            let checked = try await Promtool.run(["check", "rules", path])
            #expect(checked.status == 0, "\(checked)")
            // The guide describes each alert.
            let guide = try String(
                contentsOf: Repository.root.appending(path: "docs/operations.md"), encoding: .utf8)
            let text = try String(contentsOfFile: path, encoding: .utf8)
            let alerts = text.matches(of: /alert: (\w+)/).map { String($0.1) }
            #expect(alerts.count == 9)
            for alert in alerts { #expect(guide.contains("**\(alert)** "), "\(alert)") }
            // All metrics in the alerts are the program's.
            let source = try String(
                contentsOf: Repository.root.appending(path: "Sources/TFIConsumer/Monitoring/RunMonitor.swift"),
                encoding: .utf8)
            for match in text.matches(of: /tfi_consumer_([a-z_]+?)(_bucket)?\b/) {
                #expect(source.contains("name(\"\(match.1)\")"), "\(match.1)")
            }
        }
    }
}
