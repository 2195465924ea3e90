#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The broker that a TLS connection is made to, and the TLS settings.
struct TLSPeer: Sendable {
    /// The name or IP address that the broker's certificate must contain.
    let host: String
    let port: UInt16
    let configuration: TLSConfiguration

    var isAddress: Bool {
        var bytes = in6_addr()
        return unsafe inet_pton(AF_INET, host, &bytes) == 1 || inet_pton(AF_INET6, host, &bytes) == 1
    }

    var broker: BrokerAddress { BrokerAddress(host: host, port: port) }
}
