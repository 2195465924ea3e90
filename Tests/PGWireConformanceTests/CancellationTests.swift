import Dispatch
import PGWire
import TestSupport
import Testing

/// Calls that end before their statement does, and waiting calls that block nothing else.
@Suite(needsPostgres) struct CancellationTests {
    /// Waits until `count` connections are waiting for the advisory lock.
    private func untilBlocked(_ count: Int, on lock: Int, _ connection: PostgresConnection) async throws {
        try await eventually("\(count) connections wait for the lock") {
            let waiting = try await connection.query(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = $1",
                parameters: [PostgresValue(lock)])
            return try waiting.onlyRow.decode(0, as: Int.self) == count
        }
    }

    private func expectUsable(_ connection: PostgresConnection) async throws {
        #expect(await connection.status == .idle)
        #expect(try await connection.query("SELECT 1").onlyRow.decode(0, as: Int.self) == 1)
    }

    @Test(.timeLimit(.minutes(1))) func cancelFromAnotherTask() async throws {
        let owner = try await connectToSchema("cancel_owner")
        let waiter = try await connectToSchema("cancel_waiter")
        try await owner.execute("SELECT pg_advisory_lock(7001)")
        async let blocked = postgresError { try await waiter.execute("SELECT pg_advisory_lock(7001)") }
        try await untilBlocked(1, on: 7001, owner)
        waiter.cancel()
        let error = try await blocked
        #expect(error.kind == .cancelled && error.sqlState == "57014")
        try await expectUsable(waiter)
        // If nothing is running, cancelling doesn't affect the next statement.
        waiter.cancel()
        try await expectUsable(waiter)
        await owner.close()
        await waiter.close()
    }

    @Test(.timeLimit(.minutes(1))) func cancelledTask() async throws {
        let owner = try await connectToSchema("cancel_task_owner")
        let waiter = try await connectToSchema("cancel_task_waiter")
        try await owner.execute("SELECT pg_advisory_lock(7002)")
        let task = Task {
            try await waiter.transaction { session in _ = try session.execute("SELECT pg_advisory_lock(7002)") }
        }
        try await untilBlocked(1, on: 7002, owner)
        task.cancel()
        let error = try await postgresError { try await task.value }
        #expect(error.kind == .cancelled)
        try await expectUsable(waiter)
        await owner.close()
        await waiter.close()
    }

    /// The server drops a request that arrives before the statement; the call still ends.
    @Test(.timeLimit(.minutes(1))) func cancelAtOnce() async throws {
        let connection = try await connectToSchema("cancel_at_once")
        for _ in 0..<20 {
            let task = Task { try await connection.execute("SELECT pg_sleep(60)") }
            task.cancel()
            let error = try await postgresError { _ = try await task.value }
            #expect(error.kind == .cancelled)
            try await expectUsable(connection)
        }
        await connection.close()
    }

    @Test(.timeLimit(.minutes(1))) func cancelDuringCopy() async throws {
        let connection = try await connectToSchema("cancel_copy")
        try await connection.execute("CREATE TABLE t (a int)")
        let error = try await postgresError {
            try await connection.transaction { session in
                var buffer = CopyBuffer()
                buffer.beginRow(columns: 1)
                buffer.append(int4: 1)
                try session.copy(into: TableName(table: "t"), columns: ["a"]) { writer in
                    try writer.write(buffer)
                    connection.cancel()
                    while true { try writer.write(buffer) }
                }
            }
        }
        #expect(error.kind == .cancelled)
        try await expectUsable(connection)
        #expect(try await connection.query("SELECT count(*) FROM t").onlyRow.decode(0, as: Int.self) == 0)
        await connection.close()
    }

    /// More connections wait than Swift's pool has threads, and everything else continues.
    @Test(.timeLimit(.minutes(1))) func waitingConnectionsDoNotBlockThePool() async throws {
        let owner = try await connectToSchema("pool_owner")
        let count = 12
        try await owner.execute("SELECT pg_advisory_lock(7003)")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<count {
                group.addTask {
                    let connection = try await connectToSchema("pool_\(index)")
                    try await connection.execute("SELECT pg_advisory_xact_lock(7003)")
                    await connection.close()
                }
            }
            // These need threads of the pool while all of those wait.
            try await untilBlocked(count, on: 7003, owner)
            let sum = await withTaskGroup(of: Int.self) { tasks in
                for value in 1...100 { tasks.addTask { value } }
                return await tasks.reduce(0, +)
            }
            #expect(sum == 5050)
            try await owner.execute("SELECT pg_advisory_unlock(7003)")
            try await group.waitForAll()
        }
        await owner.close()
    }
}

/// Connections that break.
@Suite(needsPostgres) struct ConnectionLossTests {
    @Test(.timeLimit(.minutes(1))) func serverKilledDuringCopy() async throws {
        let server = try await PostgresServer.start()
        let connection = try await PostgresConnection.connect(to: server.uri)
        try await connection.execute("CREATE TABLE t (a int)")
        let (begun, begin) = AsyncStream.makeStream(of: Void.self)
        let killed = DispatchSemaphore(value: 0)
        let copy = Task {
            try await connection.transaction { session in
                var buffer = CopyBuffer()
                for value: Int32 in 0..<10_000 {
                    buffer.beginRow(columns: 1)
                    buffer.append(int4: value)
                }
                try session.copy(into: TableName(table: "t"), columns: ["a"]) { writer in
                    try writer.write(buffer)
                    begin.finish()
                    killed.wait()
                    while true { try writer.write(buffer) }
                }
            }
        }
        for await _ in begun {}
        try await server.kill()
        killed.signal()
        let error = try await postgresError { try await copy.value }
        #expect(error.isConnectionLoss && error.isTransient && !error.isDataError, "\(error)")
        #expect(connection.isBroken)
        let status = await connection.status
        #expect(status == .broken)
        let later = try await postgresError { try await connection.execute("SELECT 1") }
        #expect(later.isConnectionLoss)
        await connection.close()

        try await server.startAgain()
        let next = try await PostgresConnection.connect(to: server.uri)
        #expect(try await next.query("SELECT count(*) FROM t").onlyRow.decode(0, as: Int.self) == 0)
        await next.close()
        try await server.shutDown()
    }

    @Test func backendTerminated() async throws {
        let connection = try await connectToSchema("terminated")
        let other = try await connectToSchema("terminator")
        let pid = try await connection.query("SELECT pg_backend_pid()").onlyRow.decode(0, as: Int.self)
        try await other.query("SELECT pg_terminate_backend($1, 10000)", parameters: [PostgresValue(pid)])
        let error = try await postgresError { try await connection.transaction { _ in } }
        #expect(error.isConnectionLoss)
        #expect(connection.isBroken)
        await connection.close()
        await other.close()
    }
}
