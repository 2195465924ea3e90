import CommandLineSupport
import KafkaWire

/// A client, and the time limits for reaching its cluster and for stopping.
struct ClusterSession: Sendable {
    /// How long work may continue after a stop was requested, for its last acknowledgements and commits.
    static let grace = Duration.seconds(10)

    /// Defaults for modes and commands that make a few calls and exit: a call fails after 10 s if its broker does not
    /// answer or can't be reached.
    static let shortCalls = ["default.api.timeout.ms": "10000"]

    let client: KafkaClient
    let warnings: ClientWarnings
    /// The names of the settings that the user gave.
    let given: Set<String>
    /// Whether to wait without a limit for a cluster that does not answer.
    var waitsIndefinitely = false

    /// The time limit for the cluster's first answer: `default.api.timeout.ms` if the user gave it, else 10 s.
    ///
    /// After the first answer `default.api.timeout.ms` limits each call, and consumers and producers keep retrying.
    var reachLimit: Duration {
        given.contains("default.api.timeout.ms") ? client.configuration.defaultAPITimeout : .seconds(10)
    }

    /// Runs a mode or command and closes the client.
    ///
    /// - Parameters:
    ///   - stop: Ends the work within `grace`; nil if signals end the process at once.
    ///   - grace: How long the work may continue after a stop was requested.
    ///   - unfinished: The consequence for the user if the work is abandoned after a stop was requested.
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
                warnings.silent(servers, limit: waitsIndefinitely ? nil : reachLimit)
                guard !waitsIndefinitely, (try? await Task.sleep(for: reachLimit - silence)) != nil,
                    !warnings.hasReached
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
