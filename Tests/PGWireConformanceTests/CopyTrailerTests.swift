import Foundation
import PGWire
import Synchronization
import TestSupport
import Testing

/// The bytes of a COPY sent to the server. The server also accepts rows without a trailer. Without one, a COPY that is
/// cut off after a row would count as complete.
@Suite(needsPostgres) struct CopyTrailerTests {
    @Test(
        "a COPY ends with the trailer and then CopyDone; an aborted one has no trailer", arguments: [true, false])
    func trailer(isComplete: Bool) async throws {
        let server = try await PostgresServer.shared()
        let recorded = Recorder()
        let relay = try LoopbackRelay()
        relay.start(
            to: server.port,
            fromClient: { link in
                LoopbackRelay.pass(from: link.client, to: link.server) { recorded.add($0) }
                link.cut()
            },
            fromServer: { link in
                LoopbackRelay.pass(from: link.server, to: link.client)
                link.cut()
            })
        let connection = try await PostgresConnection.connect(
            to: "postgresql://postgres@127.0.0.1:\(relay.port)/workshop?sslmode=disable&gssencmode=disable")
        try await connection.execute("CREATE TEMPORARY TABLE rows (a integer)")
        do {
            try await connection.transaction { session in
                try session.copy(into: TableName(schema: nil, table: "rows"), columns: ["a"]) { writer in
                    var buffer = CopyBuffer()
                    buffer.beginRow(columns: 1)
                    buffer.append(int4: 7)
                    try writer.write(buffer)
                    if !isComplete { throw NoErrorWasThrown() }
                }
            }
        } catch is NoErrorWasThrown {
            #expect(!isComplete)
        }
        await connection.close()
        relay.close()
        // CopyData with a row of -1 columns, then CopyDone.
        let end: [UInt8] = [0x64, 0, 0, 0, 6, 0xff, 0xff, 0x63, 0, 0, 0, 4]
        #expect(recorded.contains(end) == isComplete)
    }

    private final class Recorder: Sendable {
        private let bytes = Mutex<[UInt8]>([])

        func add(_ more: ArraySlice<UInt8>) { bytes.withLock { $0 += more } }

        func contains(_ pattern: [UInt8]) -> Bool { bytes.withLock { $0.contains(pattern) } }
    }
}
