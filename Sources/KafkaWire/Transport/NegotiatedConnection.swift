import Concurrency
import Synchronization

/// A connection together with the API versions of its broker.
package final class NegotiatedConnection: Sendable {
    package let address: BrokerAddress
    let connection: BrokerConnection
    private let versions: [Int16: ClosedRange<Int16>]
    /// The level of each feature that the cluster has agreed on, such as `transaction.version` (KIP-584).
    package let features: [String: Int16]
    private let observer: (any ConnectionObserver)?
    let clientID: String
    /// Whether the broker has responded. One that closes the connection upon the first request may require a login.
    private let hasAnswered = Atomic(false)
    let settings: ConnectionSettings
    /// The task that logs in again before the broker ends the session. The lock guards it alone.
    let session = Lock<Task<Void, Never>?>(nil)

    private init(
        address: BrokerAddress, connection: BrokerConnection, response: ApiVersionsResponse,
        settings: ConnectionSettings, observer: (any ConnectionObserver)?
    ) {
        self.address = address
        self.connection = connection
        var versions: [Int16: ClosedRange<Int16>] = [:]
        for api in response.apis where api.minVersion <= api.maxVersion {
            versions[api.apiKey] = api.minVersion...api.maxVersion
        }
        self.versions = versions
        let features = response.finalizedFeaturesEpoch >= 0 ? response.finalizedFeatures : []
        self.features = Dictionary(features.map { ($0.name, $0.maxVersionLevel) }, uniquingKeysWith: max)
        self.settings = settings
        clientID = settings.clientID
        self.observer = observer
    }

    deinit {
        session.withLock { $0?.cancel() }
    }

    func reportShortSession(_ lifetime: Duration, nextLoginAfter pause: Duration) {
        observer?.shortSession(lifetime, nextLoginAfter: pause)
    }

    package var isUsable: Bool { connection.closed == nil }

    /// When the pause ends that the broker has asked for (KIP-219); nil if there is none. Requests that are sent before
    /// wait in the connection.
    var pauseEnd: ContinuousClock.Instant? { connection.pauseEnd }

    package func close() {
        connection.close()
    }

    /// Has `body` called when the connection ends, or at once if it has ended: on a thread that it must not block.
    func onEnd(_ body: @escaping @Sendable (DisconnectReason) -> Void) {
        connection.onEnd(body)
    }

    /// The highest version of an API that both sides support.
    ///
    /// - Parameter limit: The highest version allowed, if later ones mean something else.
    /// - Throws: UNSUPPORTED_VERSION, naming both ranges.
    package func version<R: KafkaRequest>(for _: R.Type, upTo limit: Int16 = .max) throws(KafkaError) -> Int16 {
        guard let broker = versions[R.apiKey.rawValue] else {
            throw KafkaError(.unsupportedVersion, "\(address) does not support the API \(R.apiKey.name)")
        }
        let highest = min(broker.upperBound, R.versions.upperBound, limit)
        guard highest >= max(broker.lowerBound, R.versions.lowerBound) else {
            throw KafkaError(
                .unsupportedVersion,
                "\(address) supports \(R.apiKey.name) in versions \(broker.lowerBound) to \(broker.upperBound), "
                    + "this client in \(R.versions.lowerBound) to \(min(R.versions.upperBound, limit))")
        }
        return highest
    }

    /// Sends a request in the highest version that both sides support, and decodes the response.
    ///
    /// - Parameters:
    ///   - timeout: From now to the response: `request.timeout.ms` plus the wait that the request itself asks for.
    ///   - limit: The highest version allowed, if later ones mean something else.
    /// - Throws: `KafkaError`, or `CancellationError`. A response that can't be decoded fails this call alone.
    package func call<R: KafkaRequest>(
        _ request: R, timeout: Duration, upTo limit: Int16 = .max
    ) async throws -> R.Response {
        let version = try version(for: R.self, upTo: limit)
        guard let response = try await call(request, version: version, timeout: timeout, expectsResponse: true) else {
            throw KafkaError(.unknownServerError, "\(address) gave no response to \(R.apiKey.name)")
        }
        return response
    }

    /// Sends a request in a given version, and decodes the response.
    ///
    /// - Returns: nil if no response is expected, once the request is written.
    package func call<R: KafkaRequest>(
        _ request: R, version: Int16, timeout: Duration, expectsResponse: Bool
    ) async throws -> R.Response? {
        let exchange = ObservedExchange(observer, R.apiKey, version)
        do {
            let frame = try await connection.send(timeout: timeout, expectsResponse: expectsResponse) { correlationID in
                exchange.sending(
                    try request.requestFrame(version: version, correlationID: correlationID, clientID: clientID))
            }
            hasAnswered.store(true, ordering: .relaxed)
            return try accept(frame, as: R.self, version: version, exchange)
        } catch {
            let reason = await explained(error)
            exchange.ended(byteCount: nil, reason)
            throw reason
        }
    }

    /// Checks whether a broker that closed the connection upon the first request requires a login.
    private func explained(_ error: any Error) async -> any Error {
        guard let error = error as? KafkaError, error.code == .networkException, error.isRetriable,
            !hasAnswered.load(ordering: .relaxed), let reason = await missingLogin()
        else { return error }
        return reason
    }

    /// Sends a request without waiting: requests go out in the order of these calls.
    ///
    /// - Parameter completion: Called once, on a thread that it must not block.
    package func post<R: KafkaRequest>(
        _ request: R, version: Int16, timeout: Duration, expectsResponse: Bool,
        completion: @escaping @Sendable (Result<R.Response?, any Error>) -> Void
    ) throws {
        let exchange = ObservedExchange(observer, R.apiKey, version)
        try connection.post(timeout: timeout, expectsResponse: expectsResponse) { correlationID in
            exchange.sending(
                try request.requestFrame(version: version, correlationID: correlationID, clientID: clientID))
        } completion: { [self] answer in
            completion(
                Result {
                    do {
                        return try accept(try answer.get(), as: R.self, version: version, exchange)
                    } catch {
                        exchange.ended(byteCount: nil, error)
                        throw error
                    }
                })
        }
    }

    /// The longest pause that is granted to a broker. Kafka's own quotas ask for seconds.
    static let longestPause = Duration.seconds(60)

    /// Decodes a response, and begins the pause that the broker asks for in it.
    private func accept<R: KafkaRequest>(
        _ frame: ByteSlice?, as _: R.Type, version: Int16, _ exchange: ObservedExchange
    ) throws(KafkaError) -> R.Response? {
        let response: R.Response? =
            if let frame { try decode(frame, as: R.self, version: version) } else { nil }
        if let response, let requested = R.pause(after: response, version: version) {
            // Requests wait for its end, so it is limited.
            let pause = min(requested, Self.longestPause)
            connection.mute(for: pause)
            exchange.throttled(for: pause, requested: requested)
        }
        exchange.ended(byteCount: frame?.count)
        return response
    }

    func decode<R: KafkaRequest>(
        _ frame: ByteSlice, as _: R.Type, version: Int16
    ) throws(KafkaError) -> R.Response {
        do throws(ProtocolError) {
            return try R.decodeResponse(frame, version: version)
        } catch {
            throw KafkaError(
                .corruptMessage,
                "\(address) sent a response to \(R.apiKey.name) version \(version) that can't be decoded: \(error)")
        }
    }

    // MARK: Opening

    /// Connects, asks for the broker's API versions (KIP-35, KIP-511), and logs in if that is configured.
    ///
    /// `socket.connection.setup.timeout.ms` limits two steps: from the attempt to connect to an address until the
    /// versions are known, and then the login.
    ///
    /// A broker that doesn't support the version of ApiVersions responds with UNSUPPORTED_VERSION, in version 0, and with
    /// the versions that it supports. If it closes the connection instead (Tansu does), it is asked again in version 2,
    /// the last one without names and tags, and in version 0.
    package static func open(
        _ address: BrokerAddress, settings: ConnectionSettings, pool: BufferPool, timing: Timing = Timing(),
        observer: (any ConnectionObserver)? = nil
    ) async throws -> NegotiatedConnection {
        let connection = try await negotiate(address, settings: settings, pool: pool, observer: observer)
        guard let credentials = settings.security.sasl else { return connection }
        do {
            try await connection.logIn(credentials, timing: timing)
            return connection
        } catch {
            connection.close()
            guard let error = error as? KafkaError, error.code == .requestTimedOut else { throw error }
            throw error.because(.silent)
        }
    }

    private static func negotiate(
        _ address: BrokerAddress, settings: ConnectionSettings, pool: BufferPool, observer: (any ConnectionObserver)?
    ) async throws -> NegotiatedConnection {
        func connect() throws(KafkaError) -> BrokerConnection {
            try BrokerConnection(
                host: address.host, port: address.port, connectTimeout: settings.setupTimeout,
                maximumFrame: settings.maximumFrame, maximumIdle: settings.maximumIdle,
                encryption: settings.security.tls, pool: pool)
        }
        func negotiated(_ connection: BrokerConnection, _ response: ApiVersionsResponse) -> NegotiatedConnection {
            NegotiatedConnection(
                address: address, connection: connection, response: response, settings: settings,
                observer: observer)
        }
        var lastError = KafkaError(.unsupportedVersion, "\(address) supports no version of ApiVersions")
        for (attempt, version) in [ApiVersionsRequest.versions.upperBound, 2, 0].enumerated() {
            let connection = try connect()
            do {
                let response = try await apiVersions(connection, address, version, settings)
                if response.errorCode == ErrorCode.none.rawValue { return negotiated(connection, response) }
                guard response.errorCode == ErrorCode.unsupportedVersion.rawValue else {
                    throw KafkaError(
                        ErrorCode(rawValue: response.errorCode), "\(address) refused ApiVersions", isFromBroker: true)
                }
                let known = response.apis.first { $0.apiKey == APIKey.apiVersions.rawValue }
                let next = min(known?.maxVersion ?? 0, ApiVersionsRequest.versions.upperBound)
                let second = try await apiVersions(connection, address, max(next, 0), settings)
                guard second.errorCode == ErrorCode.none.rawValue else {
                    throw KafkaError(
                        ErrorCode(rawValue: second.errorCode), "\(address) refused ApiVersions", isFromBroker: true)
                }
                return negotiated(connection, second)
            } catch let error as KafkaError
                where error.connectionFailure == .closed && error.isRetriable && connection.wasEstablished
            {
                // The broker accepted the connection and closed it upon the request: it may accept an older version.
                if attempt == 0 {
                    lastError = KafkaError(
                        .networkException,
                        "\(address) closed the connection upon the first request: it may require TLS or a login (\(error.message))"
                    ).because(.closed)
                }
            } catch let error as KafkaError where error.code == .requestTimedOut {
                throw error.because(.silent)
            } catch let error as KafkaError
                where error.isRetriable && connection.wasReached && !connection.wasEstablished
            {
                throw await plainListener(address, settings) ?? error
            }
        }
        throw lastError
    }

    static func apiVersions(
        _ connection: BrokerConnection, _ address: BrokerAddress, _ version: Int16, _ settings: ConnectionSettings
    ) async throws -> ApiVersionsResponse {
        let request = ApiVersionsRequest(
            clientSoftwareName: KafkaWireVersion.softwareName, clientSoftwareVersion: KafkaWireVersion.current)
        // A broker that accepts connections and never responds must not use up request.timeout.ms.
        let frame = try await connection.send(timeout: settings.requestTimeout, opensConnection: true) {
            correlationID in
            try request.requestFrame(version: version, correlationID: correlationID, clientID: settings.clientID)
        }
        do throws(ProtocolError) {
            guard let frame else { throw ProtocolError("there is no response", at: 0) }
            return try ApiVersionsRequest.decodeNegotiation(frame, version: version)
        } catch {
            throw KafkaError(
                .corruptMessage, "\(address) sent a response to ApiVersions that can't be decoded: \(error)")
        }
    }
}
