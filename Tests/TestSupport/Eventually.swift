/// Polls until `condition` holds, for conditions that a test cannot await, such as another process's rows.
///
/// - Throws: `ProgramError` with `what` if it does not hold within `timeout`, and the errors of `condition`.
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
