import Concurrency

/// An access token for SASL/OAUTHBEARER (RFC 6750, RFC 7628).
public struct OAuthToken: Sendable {
    /// The token from the identity provider, without `Bearer` before it.
    public let value: Secret
    /// How long the token is valid, from the time at which it was obtained.
    ///
    /// Connections share it until four fifths of that time are over; then the next connection requests another one. So does
    /// a connection whose session ends (KIP-368), at the latest when the token expires.
    public let lifetime: Duration
    /// SASL extensions for the broker (KIP-342), such as `logicalCluster`.
    public let extensions: [String: String]

    /// Creates a token.
    ///
    /// - Parameters:
    ///   - value: The token from the identity provider, without `Bearer` before it.
    ///   - lifetime: How long the token is valid from now on.
    ///   - extensions: SASL extensions. A name must consist of letters and not be `auth`; otherwise the login fails with
    ///     INVALID_CONFIG.
    public init(_ value: Secret, lifetime: Duration, extensions: [String: String] = [:]) {
        self.value = value
        self.lifetime = lifetime
        self.extensions = extensions
    }
}

/// Gets tokens from the application, and shares each among all connections while it is valid.
actor OAuthTokenSource {
    private static let longestLifetime = Duration.seconds(100 * 365 * 86400)
    private let fetch: @Sendable () async throws -> OAuthToken
    /// The current token, the time at which another one is requested, and the time at which it expires.
    private var current: (token: OAuthToken, freshUntil: ContinuousClock.Instant, until: ContinuousClock.Instant)?
    private var fetching: Task<OAuthToken, any Error>?
    /// Whether there was a token before, so that a failure is probably temporary.
    private(set) var hasServed = false

    init(_ fetch: @escaping @Sendable () async throws -> OAuthToken) {
        self.fetch = fetch
    }

    /// Returns a valid token.
    ///
    /// - Parameters:
    ///   - limit: How long to wait for the application. If it takes longer its task is cancelled, and the next connection
    ///     asks again.
    /// - Throws: The application's error or REQUEST_TIMED_OUT, if there is no earlier token that is still valid.
    func token(
        _ now: ContinuousClock.Instant, within limit: Duration = .seconds(30), _ timing: Timing = Timing()
    ) async throws -> OAuthToken {
        if let current, now < current.freshUntil { return current.token }
        // All connections share the token, so the provider must not see the task-locals of the first that needs it.
        let task = fetching ?? background("token", throwing: fetch)
        fetching = task
        let result = await timing.wait(atMost: limit) { await task.result }
        if fetching == task { fetching = nil }
        do {
            guard let result else {
                task.cancel()
                throw KafkaError(
                    .requestTimedOut, "the application did not provide an OAuth token within \(limit)")
            }
            let token = try result.get()
            let lifetime = min(token.lifetime, Self.longestLifetime)
            current = (token, now + lifetime * 0.8, now + lifetime)
            hasServed = true
            return token
        } catch {
            guard let current, now < current.until else { throw error }
            return current.token
        }
    }

    /// Discards a token that a broker refused, so that the next connection requests another one.
    func discard() {
        current = nil
    }
}
