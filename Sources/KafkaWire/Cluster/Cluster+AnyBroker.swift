import Concurrency

// Requests that every broker can answer, such as Metadata.
extension Cluster {
    /// How long a broker may take before another one is asked as well.
    private static let patience = Duration.seconds(1)
    /// How many brokers are asked at most.
    private static let mostAsked = 3

    private enum AnyBrokerEvent<Response: Sendable>: Sendable {
        case answered(Response, by: BrokerAddress)
        case failed(any Error)
        /// There is no further broker to ask.
        case exhausted
        /// The broker that was asked last has not answered for `patience`.
        case silent
    }

    /// Sends a request to any broker, and to another one as well if the first does not answer within a second. The first
    /// response counts.
    ///
    /// Without this, a single broker that has stopped answering would hold up everything that needs the response for
    /// `request.timeout.ms`, whichever brokers the records themselves go to.
    ///
    /// - Parameter request: Makes the request for a connection, whose versions it may look at. Called for each broker that
    ///   is asked, so the request must do no harm if several brokers carry it out.
    /// - Throws: The error of the first broker that failed, once no broker is left that may still answer.
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
            group.addTask { [timing] in await Self.silence(timing) }
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
                    guard asked.count < Self.mostAsked, inProgress > 0 else { continue }
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
                    group.addTask { [timing] in await Self.silence(timing) }
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

    private static func silence<Response: Sendable>(_ timing: Timing) async -> AnyBrokerEvent<Response> {
        try? await timing.timeout(patience)
        return .silent
    }

    /// A broker of the cluster that was not asked yet, one that answered its last request if possible.
    private func otherBroker(besides asked: [BrokerAddress]) -> BrokerAddress? {
        let others = brokers.sorted { $0.key < $1.key }.map(\.value).filter { !asked.contains($0) }
        return others.first { !silent.contains($0) } ?? others.first
    }
}
