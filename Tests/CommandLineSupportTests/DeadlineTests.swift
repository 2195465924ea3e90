import CommandLineSupport
import Testing

@Suite struct DeadlineTests {
    private let failure = Failure("it took too long", status: .unavailable)

    @Test func quickWorkReturnsItsResult() async throws {
        #expect(try await withDeadline(.seconds(3600), failure: failure) { 5 } == 5)
        struct Own: Error {}
        await #expect(throws: Own.self) { try await withDeadline(.seconds(3600), failure: failure) { throw Own() } }
    }

    @Test func slowWorkIsCancelledAndNotAwaited() async {
        let isCancelled = StopSignal()
        let stubborn = StopSignal()
        await #expect(throws: failure) {
            try await withDeadline(.zero, failure: failure) {
                await withTaskCancellationHandler {
                    await Task { await stubborn.wait() }.value
                } onCancel: {
                    isCancelled.request()
                }
            }
        }
        await isCancelled.wait()
        #expect(!stubborn.isRequested)
        stubborn.request()
    }

    @Test func aCancelledTaskWaitsNoLonger() async {
        let stubborn = StopSignal()
        let task = Task {
            try await withDeadline(.seconds(3600), failure: failure) { await Task { await stubborn.wait() }.value }
        }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        stubborn.request()
    }
}
