import Concurrency

extension NegotiatedConnection {
    /// Logs in, and again each time before the session ends that the broker grants (KIP-368).
    ///
    /// - Throws: UNSUPPORTED_SASL_MECHANISM with the mechanisms that the broker supports, SASL_AUTHENTICATION_FAILED with
    ///   its reason, ILLEGAL_SASL_STATE if its listener has no login.
    func logIn(_ credentials: SASLCredentials, timing: Timing) async throws {
        guard let lifetime = try await authenticate(credentials, timing, opensConnection: true) else { return }
        let task = background("login to \(address)") { [weak self] in
            var lifetime: Duration? = lifetime
            while let granted = lifetime {
                // At a random time, so that clients that started together don't log in together again. A login takes both
                // sides time, so it is repeated at most once a second.
                let pause = max(granted * (0.85 + 0.1 * timing.random()), Self.shortestSession)
                if pause > granted { self?.reportShortSession(granted, nextLoginAfter: pause) }
                try? await timing.sleep(pause)
                guard !Task.isCancelled, let self, isUsable else { return }
                do {
                    lifetime = try await authenticate(credentials, timing, opensConnection: false)
                } catch {
                    // Not an error from the broker, since some requests in flight may have been carried out.
                    let cause = error as? KafkaError
                    return connection.close(
                        KafkaError(
                            cause?.code ?? .networkException,
                            "the session at \(address) ends, and there is no login: \(cause?.message ?? "\(error)")",
                            isRetriable: cause?.isRetriable ?? true))
                }
            }
        }
        session.withLock { $0 = task }
    }

    /// The shortest interval between two logins of a connection.
    private static let shortestSession = Duration.seconds(1)

    /// Logs in once. Other requests wait until it has ended.
    ///
    /// - Parameter opensConnection: Whether `socket.connection.setup.timeout.ms` limits it, without the time for the token.
    ///   Otherwise each request has `request.timeout.ms`.
    /// - Returns: The lifetime of the session; nil for no limit.
    private func authenticate(
        _ credentials: SASLCredentials, _ timing: Timing, opensConnection: Bool
    ) async throws -> Duration? {
        var exchange = try await self.exchange(credentials, timing)
        let end = timing.now() + settings.setupTimeout
        /// The timeout of the next request.
        func timeout() -> Duration {
            opensConnection
                ? max(min(end - timing.now(), settings.requestTimeout), .zero) : settings.requestTimeout
        }
        try await handshake(credentials.mechanism, timeout())
        var message = try exchange.begin()
        while true {
            let response = try await ask(SaslAuthenticateRequest(authBytes: ByteSlice(message)), timeout())
            guard response.errorCode == ErrorCode.none.rawValue else {
                if case .oauthBearer(let source) = credentials.kind { await source.discard() }
                throw refusal(response, credentials, exchange)
            }
            do throws(KafkaError) {
                guard let next = try await exchange.respond(to: Array(response.authBytes)) else {
                    connection.resume()
                    return response.sessionLifetimeMs > 0 ? .milliseconds(response.sessionLifetimeMs) : nil
                }
                message = next
            } catch {
                throw KafkaError(error.code, "\(address): \(error.message)", isFromBroker: error.isFromBroker)
            }
        }
    }

    private func exchange(_ credentials: SASLCredentials, _ timing: Timing) async throws -> any SASLExchange {
        switch credentials.kind {
        case .plain(let username, let password):
            PlainExchange(username: username, password: password)
        case .scram(let algorithm, let username, let password):
            ScramExchange(algorithm, username: username, password: password)
        case .oauthBearer(let source):
            OAuthBearerExchange(token: try await token(of: source, timing))
        }
    }

    private func token(of source: OAuthTokenSource, _ timing: Timing) async throws -> OAuthToken {
        do {
            return try await source.token(timing.now(), within: settings.requestTimeout, timing)
        } catch let error where !(error is KafkaError || error is CancellationError) {
            let mayPass = await source.hasServed
            throw KafkaError(
                .saslAuthenticationFailed, "\(address): there is no token: \(error)", isRetriable: mayPass)
        }
    }

    private func handshake(_ mechanism: String, _ timeout: Duration) async throws {
        guard try version(for: SaslHandshakeRequest.self) >= 1 else {
            throw KafkaError(
                .unsupportedVersion, "\(address) is older than Kafka 1.0, which has another protocol for logins")
        }
        let response = try await ask(SaslHandshakeRequest(mechanism: mechanism), timeout)
        switch ErrorCode(rawValue: response.errorCode) {
        case .none: return
        case .unsupportedSaslMechanism:
            throw KafkaError(
                .unsupportedSaslMechanism,
                "\(address) does not support sasl.mechanism=\(mechanism); it offers "
                    + response.mechanisms.sorted().joined(separator: ", "),
                isFromBroker: true)
        case .illegalSaslState:
            throw KafkaError(
                .illegalSaslState,
                "\(address) asks for no login: its listener is for security.protocol="
                    + SecurityConfiguration.securityProtocol(tls: settings.security.tls != nil, sasl: false),
                isFromBroker: true)
        case let code:
            throw KafkaError(code, "\(address) refused to begin a login by \(mechanism)", isFromBroker: true)
        }
    }

    private func refusal(
        _ response: SaslAuthenticateResponse, _ credentials: SASLCredentials, _ exchange: any SASLExchange
    ) -> KafkaError {
        let user = credentials.username.map { " as \($0)" } ?? ""
        var reasons = [exchange.withoutSecrets(response.errorMessage ?? "")]
        if let token = exchange as? OAuthBearerExchange, let reason = token.reason { reasons.append(reason) }
        let reason = reasons.filter { !$0.isEmpty }.joined(separator: "; ")
        return KafkaError(
            ErrorCode(rawValue: response.errorCode),
            "\(address) refused the login\(user) by \(credentials.mechanism)\(reason.isEmpty ? "" : ": \(reason)")",
            isFromBroker: true)
    }

    private func ask<R: KafkaRequest>(_ request: R, _ timeout: Duration) async throws -> R.Response {
        let version = try version(for: R.self)
        let frame = try await connection.authenticate(timeout: timeout) { correlationID in
            try request.requestFrame(version: version, correlationID: correlationID, clientID: clientID)
        }
        return try decode(frame, as: R.self, version: version)
    }
}
