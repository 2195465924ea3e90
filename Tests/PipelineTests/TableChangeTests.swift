import TestSupport
import Testing

extension DatabaseTests {
    /// Tables that change so that a COPY cannot even start.
    @Suite struct TableChangeTests {
        /// The server runs a query's statements without waiting for the check of the tables.
        @Test func aColumnThatIsRenamedIsNoticed() async throws {
            let pipeline = try await FakePipeline.make()
            try await pipeline.send((0..<10).map { pipeline.passage($0) })
            let consumer = try await pipeline.startConsumer()
            try await eventually("the first rows") { try await pipeline.units().count == 10 }
            try await pipeline.sql(
                "ALTER TABLE ucp RENAME COLUMN zone_id TO zone; ALTER TABLE ucp ALTER COLUMN zone DROP NOT NULL")
            try await pipeline.send((10..<20).map { pipeline.passage($0) })
            try await eventually("all rows") { try await pipeline.units().count == 20 }
            #expect(try consumer.errors().contains("a table has changed"))
            #expect(try await pipeline.number("SELECT count(*) FROM ucp WHERE zone IS NULL") == 10)
            #expect(try await pipeline.number("SELECT count(*) FROM dead_letter") == 0)
            try await endInOrder(consumer, within: .seconds(8))
            await pipeline.close()
        }
    }
}
