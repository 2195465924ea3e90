import Concurrency

/// An access token for SASL/OAUTHBEARER (RFC 6750, RFC 7628).
public struct OAuthToken: Sendable {
    /// The token as the identity provider gave it, without `Bearer` before it.
    public let value: Secret
    /// For how long the token is good, from when it was got.
    ///
    /// Connections share it until four fifths of that time are over; then the next one asks for another. So does
    /// a connection whose session ends (KIP-368), which it does with the token at the latest.
    public let lifetime: Duration
    /// What the broker is told beside the token (KIP-342), such as `logicalCluster`.
    public let extensions: [String: String]

    /// - Parameters:
    ///   - value: The token as the identity provider gave it, without `Bearer` before it.
    ///   - lifetime: From now on; when four fifths of it are over another token is asked for.
    ///   - extensions: Names are letters alone, and not `auth`; for others the login is INVALID_CONFIG.
    public init(_ value: Secret, lifetime: Duration, extensions: [String: String] = [:]) {
        self.value = value
        self.lifetime = lifetime
        self.extensions = extensions
    }
}

/// Gets tokens from the application, and shares one among all connections for as long as it is good.
actor OAuthTokenSource {
    private static let longestLifetime = Duration.seconds(100 * 365 * 86400)
    private let fetch: @Sendable () async throws -> OAuthToken
    /// Until when the token is good, and until when without asking for another.
    private var current: (token: OAuthToken, freshUntil: ContinuousClock.Instant, until: ContinuousClock.Instant)?
    private var fetching: Task<OAuthToken, any Error>?
    /// Whether there was ever a token, so that another failure is likely to pass.
    private(set) var hasServed = false

    init(_ fetch: @escaping @Sendable () async throws -> OAuthToken) {
        self.fetch = fetch
    }

    /// - Parameters:
    ///   - limit: How long to wait for the application. If it takes longer its task is cancelled, and the next connection
    ///     asks again.
    /// - Throws: What the application throws, or REQUEST_TIMED_OUT, if there is no earlier token that is still good.
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

    /// A broker refused the token: the next connection asks for another.
    func discard() {
        current = nil
    }
}
