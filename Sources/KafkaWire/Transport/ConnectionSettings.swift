/// How a connection to a broker is opened, and the limits that it keeps to.
package struct ConnectionSettings: Sendable {
    /// `client.id`, which each request carries.
    package var clientID: String
    /// How long a broker has for a response.
    package var requestTimeout: Duration
    /// How long the opening may take: once until the broker has stated its versions, and once for the login.
    package var setupTimeout: Duration
    /// The longest response that is accepted, in bytes.
    package var maximumFrame: Int
    /// How long an unused connection is kept; nil for ever.
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
