/// Which addresses of a host name a client connects to (`client.dns.lookup`, KIP-302, KIP-235).
///
/// Open: Kafka may add values. A client accepts only those that are named here, others are INVALID_CONFIG.
public struct DNSLookup: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The value of the setting, such as `use_all_dns_ips`.
    public let rawValue: String

    /// Creates a value from its name in Kafka.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// All addresses, one after the other, until one answers.
    public static let useAllDNSIPs = DNSLookup(rawValue: "use_all_dns_ips")
    /// As `useAllDNSIPs`, but each bootstrap server is first replaced by the canonical names of its addresses. Kerberos and
    /// some certificates need that.
    public static let resolveCanonicalBootstrapServersOnly = DNSLookup(
        rawValue: "resolve_canonical_bootstrap_servers_only")

    static let names: KeyValuePairs<String, DNSLookup> = [
        "use_all_dns_ips": .useAllDNSIPs,
        "resolve_canonical_bootstrap_servers_only": .resolveCanonicalBootstrapServersOnly,
    ]

    /// The value of the setting.
    public var description: String { rawValue }
}
