import Concurrency

// Requests that every broker can answer, such as Metadata.
extension Cluster {
    /// The time without a response after which another broker is asked too.
    private static let hedgeDelay = Duration.seconds(1)
    /// The largest number of brokers to ask.
    private static let maximumBrokers = 3

    private enum AnyBrokerEvent<Response: Sendable>: Sendable {
        case answered(Response, by: BrokerAddress)
        case failed(any Error)
        /// The connection to another broker failed.
        case exhausted
        /// The broker that was asked last has not answered within `hedgeDelay`.
        case silent
    }

    /// Sends a request to any broker and, if it doesn't answer within a second, to another one too.
    ///
    /// Returns the first response. With only one request, an unresponsive broker would delay every caller by
    /// `request.timeout.ms`, even callers whose records go to other brokers.
    ///
    /// - Parameter request: Makes the request for a connection and its negotiated versions. Called for each broker that
    ///   is asked, so the request must be safe to execute several times.
    /// - Throws: The first error, once no broker is left that may still answer.
    package func askAnyBroker<Request: KafkaRequest>(
        _ request: @escaping @Sendable (NegotiatedConnection) throws -> Request
    ) async throws -> (response: Request.Response, broker: BrokerAddress) {
        typealias Event = AnyBrokerEvent<Request.Response>
        let limit = configuration.requestTimeout
        let first = try await anyConnection()
        var asked = [first.address]
        return try await withThrowingTaskGroup(of: Event.self) { group in
            defer { group.cancelAll() }
            var inProgress = 1
            var failure: (any Error)?
            group.addTask { await Self.ask(first, request, limit) }
            group.addTask { [timing] in await Self.silenceTimer(timing) }
            while let event = try await group.next() {
                switch event {
                case .answered(let response, let broker):
                    silent.remove(broker)
                    return (response, broker)
                case .failed(let error):
                    failure = failure ?? error
                    inProgress -= 1
                case .exhausted:
                    inProgress -= 1
                case .silent:
                    guard asked.count < Self.maximumBrokers, inProgress > 0 else { continue }
                    if let last = asked.last { silent.insert(last) }
                    guard let other = otherBroker(besides: asked) else { continue }
                    asked.append(other)
                    inProgress += 1
                    group.addTask {
                        guard let connection = try? await self.connection(to: other, role: .general) else {
                            return .exhausted
                        }
                        return await Self.ask(connection, request, limit)
                    }
                    group.addTask { [timing] in await Self.silenceTimer(timing) }
                }
                if inProgress == 0 { break }
            }
            throw failure ?? CancellationError()
        }
    }

    private static func ask<Request: KafkaRequest>(
        _ connection: NegotiatedConnection, _ request: (NegotiatedConnection) throws -> Request, _ limit: Duration
    ) async -> AnyBrokerEvent<Request.Response> {
        do {
            return .answered(try await connection.call(try request(connection), timeout: limit), by: connection.address)
        } catch {
            return .failed(error)
        }
    }

    private static func silenceTimer<Response: Sendable>(_ timing: Timing) async -> AnyBrokerEvent<Response> {
        try? await timing.timeout(hedgeDelay)
        return .silent
    }

    /// A broker that hasn't been asked yet, preferably one that isn't in `silent`; nil if there is none.
    private func otherBroker(besides asked: [BrokerAddress]) -> BrokerAddress? {
        let others = brokers.sorted { $0.key < $1.key }.map(\.value).filter { !asked.contains($0) }
        return others.first { !silent.contains($0) } ?? others.first
    }
}
