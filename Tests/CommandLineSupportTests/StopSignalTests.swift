import Testing

@testable import CommandLineSupport

@Suite struct StopSignalTests {
    private struct Broken: Error {}

    @Test func everyWaiterIsResumed() async {
        let stop = StopSignal()
        await withTaskGroup { group in
            for _ in 0..<3 { group.addTask { await stop.wait() } }
            #expect(!stop.isRequested)
            #expect(stop.request())
            await group.waitForAll()
        }
        #expect(stop.isRequested)
        #expect(!stop.request())
        await stop.wait()
    }

    @Test func aCancelledTaskWaitsNoLonger() async {
        let stop = StopSignal()
        let task = Task { await stop.wait() }
        task.cancel()
        await task.value
        #expect(!stop.isRequested)
    }

    @Test func workEndsByItself() async throws {
        let stop = StopSignal()
        #expect(try await stop.ending { 7 } == 7)
        await #expect(throws: Broken.self) { try await stop.ending { throw Broken() } }
    }

    @Test func workIsCancelledWhenAStopIsRequested() async throws {
        let stop = StopSignal()
        let (begun, begin) = AsyncStream.makeStream(of: Void.self)
        let work = Task {
            try await stop.ending {
                begin.finish()
                try await Task.sleep(for: .seconds(3_600))
            }
        }
        for await _ in begun {}
        stop.request()
        #expect(try await work.value == nil)
        // The same if the stop was requested before.
        #expect(try await stop.ending { try await Task.sleep(for: .seconds(3_600)) } == nil)
    }
}
