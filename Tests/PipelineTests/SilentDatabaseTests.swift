import Foundation
import KafkaFake
import PGWire
import Synchronization
import TestSupport
import Testing

/// A database that is connected but doesn't answer.
@Suite(.timeLimit(.minutes(2))) struct SilentDatabaseTests {
    /// The server is silent from the first byte on, or after the login.
    @Test(arguments: [[], ScriptedPostgres.login])
    func aSignalEndsTheWaitForAnAnswer(reply: [UInt8]) async throws {
        let server = try ScriptedPostgres(reply: reply)
        server.start()
        defer { server.close() }
        let consumer = try await RunningProgram.start(
            try Repository.program("tfi-consumer"),
            ["run", "--database", server.uri + "&connect_timeout=60", "--bootstrap-servers", "127.0.0.1:1"])
        try await eventually("the log says what the run waits for") {
            try consumer.errors().contains("waiting for the database: it has not answered for ")
        }
        let result = try await endInOrder(consumer, within: .seconds(8))
        #expect(result.err.contains("stopped while waiting"), "\(result.err)")
    }

    @Test(arguments: ["init", "status"]) func otherCommandsReportTheirWaits(command: String) async throws {
        let fake = try FakeCluster()
        fake.createTopic("TFI")
        let server = try ScriptedPostgres(reply: ScriptedPostgres.login)
        server.start()
        let program = try await RunningProgram.start(
            try Repository.program("tfi-consumer"),
            [command, "--database", server.uri]
                + (command == "init" ? [] : ["--bootstrap-servers", fake.bootstrapServers]))
        try await eventually("the command says what it waits for") {
            try program.errors().contains("still waiting for the database to answer")
        }
        program.signal(SIGTERM)
        _ = try await program.result()
        server.close()
        await fake.close()
    }
}

/// Failures of operations other than writing rows, by errors of the fake broker.
@Suite(.timeLimit(.minutes(2)), .enabled(if: PostgresServer.isAvailable, "\(PostgresServer.skipReason)"))
struct CompanionTests {
    @Test func refusedGroupOffsetsAndPartitionsAreReported() async throws {
        let fake = try FakeCluster()
        fake.createTopic("TFI")
        fake.inject(.error(.groupAuthorizationFailed), into: .offsetCommit, times: 100_000)
        let postgres = try await PostgresServer.shared()
        let database = ["--database", postgres.uri, "--schema", "companions"]
        let program = try Repository.program("tfi-consumer")
        let prepared = try await run(program, ["init"] + database)
        #expect(prepared.status == 0, "\(prepared.err)")
        let consumer = try await RunningProgram.start(
            program,
            ["run", "--bootstrap-servers", fake.bootstrapServers, "--group", "g\(UInt32.random(in: 0 ... .max))"]
                + ["--property", "metadata.max.age.ms=200", "--property", "default.api.timeout.ms=500"] + database)
        try await eventually("the refused offsets are reported") {
            try consumer.errors().contains("Kafka does not accept the offsets of group g")
        }
        fake.inject(.error(.leaderNotAvailable), into: .metadata, times: 100_000)
        try await eventually("the unknown partitions are reported") {
            try consumer.errors().contains("cannot check topic TFI for new partitions")
        }
        let lines = try consumer.errors().components(separatedBy: "Kafka does not accept").count - 1
        #expect(lines < 8)
        try await endInOrder(consumer, within: .seconds(8))
        await fake.close()
    }
}

extension PipelineTests {
    /// A server that stops answering during a run.
    @Suite struct FrozenDatabaseTests {
        @Test func aSignalEndsAnUnansweredTransaction() async throws {
            let pipeline = try await Pipeline.make()
            let isFrozen = Mutex(false)
            let relay = try LoopbackRelay()
            @Sendable func pass(_ from: Int32, _ to: Int32) {
                var chunk = [UInt8](repeating: 0, count: 1 << 16)
                while let count = LoopbackRelay.read(from, &chunk) {
                    if isFrozen.withLock({ $0 }) { continue }
                    guard LoopbackRelay.write(to, chunk[..<count]) else { return }
                }
            }
            relay.start(
                to: pipeline.postgres.port,
                fromClient: { link in
                    pass(link.client, link.server)
                    link.cut()
                },
                fromServer: { link in
                    pass(link.server, link.client)
                    link.cut()
                })
            defer { relay.close() }
            let uri = pipeline.postgres.uri.replacing(":\(pipeline.postgres.port)/", with: ":\(relay.port)/")
            try await pipeline.send(units: 0..<100)
            let consumer = try await pipeline.startConsumer(database: uri)
            try await eventually("rows are committed") { try await pipeline.tally().rows == 100 }
            isFrozen.withLock { $0 = true }
            try await pipeline.send(units: 100..<200)
            try await eventually("the log says what the run waits for") {
                try consumer.errors().contains("waiting for the database: it has not answered for ")
            }
            try await endInOrder(consumer, within: .seconds(8))
            let result = try await pipeline.catchUp()
            #expect(result.status == 0, "\(result.err)")
            #expect(try await pipeline.tally() == Tally(0..<200))
        }
    }
}
