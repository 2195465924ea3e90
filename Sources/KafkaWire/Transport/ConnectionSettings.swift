/// The settings of a connection to a broker: limits, encryption and login.
package struct ConnectionSettings: Sendable {
    /// `client.id`, which each request carries.
    package var clientID: String
    /// How long a broker has for a response.
    package var requestTimeout: Duration
    /// The time limit for each of two steps: until the broker's API versions are known, and for the login.
    package var setupTimeout: Duration
    /// The longest response that is accepted, in bytes.
    package var maximumFrame: Int
    /// How long an unused connection is kept; nil for no limit.
    package var maximumIdle: Duration?
    /// Encryption and login.
    package var security: SecurityConfiguration

    package init(
        clientID: String, requestTimeout: Duration, setupTimeout: Duration, maximumFrame: Int, maximumIdle: Duration?,
        security: SecurityConfiguration
    ) {
        self.clientID = clientID
        self.requestTimeout = requestTimeout
        self.setupTimeout = setupTimeout
        self.maximumFrame = maximumFrame
        self.maximumIdle = maximumIdle
        self.security = security
    }
}
