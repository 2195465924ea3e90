/// Waits until `condition` holds, for what a test can only look at again and again: another process's rows, say.
///
/// - Throws: `ProgramError` naming `what` when it doesn't hold within `timeout`, and what `condition` throws.
package func eventually(
    _ what: String, timeout: Duration = .seconds(30), every interval: Duration = .milliseconds(20),
    isolation: isolated (any Actor)? = #isolation, condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + timeout
    while true {
        if try await condition() { return }
        guard ContinuousClock.now < deadline else { throw ProgramError("not within \(timeout): \(what)") }
        try await Task.sleep(for: interval)
    }
}
