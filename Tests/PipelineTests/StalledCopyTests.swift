import Foundation
import PGWire
import TestSupport
import Testing

extension DatabaseTests {
    /// Sessions that hold the offsets in the middle of a COPY.
    @Suite struct StalledCopyTests {
        /// A consumer that is suspended while the server waits for its rows: no time limit of the server ends that
        /// wait.
        @Test func aConsumerThatIsStoppedInACopyDoesNotBlockItsSuccessor() async throws {
            let pipeline = try await FakePipeline.make()
            try await pipeline.send((0..<10).map { pipeline.passage($0) })
            #expect(try await pipeline.catchUp().status == 0)
            let connection = try await PostgresConnection.connect(
                to: pipeline.postgres.uri, applicationName: "tfi-consumer")
            let name = try await connection.quoted(pipeline.schema)
            let (begun, begin) = AsyncStream.makeStream(of: Void.self)
            let isOver = DispatchSemaphore(value: 0)
            let copying = Task {
                defer { begin.finish() }
                try await connection.transaction(
                    prelude: "SET LOCAL search_path = \(name); UPDATE kafka_offset SET next_offset = next_offset + 5"
                ) { session in
                    try session.copy(into: TableName(table: "ucp"), columns: ["qls_unit_id"]) { _ in
                        begin.finish()
                        isOver.wait()
                    }
                }
            }
            for await _ in begun {}
            try await pipeline.send((10..<20).map { pipeline.passage($0) })
            let result = try await pipeline.catchUp(timeout: .seconds(60))
            #expect(result.status == 0, "\(result.err)")
            #expect(result.err.contains("ended the session of tfi-consumer from 127.0.0.1, pid "))
            #expect(try await pipeline.units() == Array(0..<20))
            isOver.signal()
            await #expect(throws: PostgresError.self) { try await copying.value }
            await connection.close()
            await pipeline.close()
        }
    }
}
