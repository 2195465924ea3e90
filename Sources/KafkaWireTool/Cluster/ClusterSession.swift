import CommandLineSupport
import KafkaWire

/// A client, and the limits within which the program gives up on its cluster.
struct ClusterSession: Sendable {
    /// How long work may continue after a stop was requested, for its last acknowledgements and commits.
    static let grace = Duration.seconds(10)

    /// Defaults for modes and commands that ask and then end: a call that a broker does not answer, or that needs a broker
    /// which can't be reached, gives up after 10 s too.
    static let shortCalls = ["default.api.timeout.ms": "10000"]

    let client: KafkaClient
    let warnings: ClientWarnings
    /// The names of the settings that the user gave.
    let given: Set<String>
    /// Whether a cluster that doesn't answer is waited for without a limit.
    var waitsForEver = false

    /// How long to wait for a first answer from the cluster: `default.api.timeout.ms` if the user gave it, else 10 s.
    ///
    /// Once a broker has answered, each call has `default.api.timeout.ms`, and a consumer or producer keeps retrying.
    var reachLimit: Duration {
        given.contains("default.api.timeout.ms") ? client.configuration.defaultAPITimeout : .seconds(10)
    }

    /// Runs a mode or command and closes the client.
    ///
    /// - Parameters:
    ///   - stop: Ends the work within `grace`; nil if signals end the process at once.
    ///   - grace: How long the work may continue after a stop was requested.
    ///   - unfinished: What the user has to know if the work is abandoned after a stop was requested.
    /// - Throws: What `work` throws. A failure of status `unavailable` if no broker answers in time, or if the work does
    ///   not end after a stop was requested.
    func run(
        until stop: StopSignal? = nil, grace: Duration = Self.grace, unfinished: String = "",
        _ work: @escaping @Sendable () async throws -> Void
    ) async throws {
        let (outcomes, outcome) = AsyncStream<Result<Void, any Error>>.makeStream()
        var tasks: [Task<Void, Never>] = []
        tasks.append(
            Task {
                do { outcome.yield(.success(try await work())) } catch { outcome.yield(.failure(error)) }
            })
        tasks.append(
            Task {
                let silence = min(.seconds(1), reachLimit)
                guard (try? await Task.sleep(for: silence)) != nil else { return }
                warnings.silent(servers, limit: waitsForEver ? nil : reachLimit)
                guard !waitsForEver, (try? await Task.sleep(for: reachLimit - silence)) != nil, !warnings.hasReached
                else { return }
                outcome.yield(.failure(unreachable))
            })
        if let stop {
            tasks.append(
                Task {
                    await stop.wait()
                    guard (try? await Task.sleep(for: grace)) != nil else { return }
                    outcome.yield(
                        .failure(
                            Failure(
                                "interrupted; the cluster did not answer within \(DurationText.format(grace)): \(unfinished)",
                                status: .unavailable)))
                })
        }
        defer { for task in tasks { task.cancel() } }
        var first = outcomes.makeAsyncIterator()
        let result = await first.next()
        warnings.mute()
        await client.close()
        // The stream ends only if this task is cancelled.
        try result?.get()
    }

    private var servers: String { client.configuration.bootstrapServers.map(\.description).joined(separator: ",") }

    private var unreachable: Failure {
        let reasons = warnings.failures.isEmpty ? "\(servers) does not answer" : warnings.failures
        return Failure(
            "no broker could be reached within \(DurationText.format(reachLimit)): \(reasons); check -b, and whether Kafka runs there",
            status: .unavailable)
    }
}
