/// The host and port of a broker's listener.
public struct BrokerAddress: Hashable, Sendable, CustomStringConvertible {
    /// A name or an IP address, IPv6 without brackets.
    public let host: String
    /// Above 0.
    public let port: UInt16

    /// Creates an address from its parts, without checking them.
    public init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Parses `host:port`, with square brackets around an IPv6 address; nil if the text does not have that form.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty,
            !host.unicodeScalars.contains(where: {
                $0.properties.isWhitespace || $0.value < 0x20 || "/@".unicodeScalars.contains($0)
            })
        else { return nil }
        self.init(host: String(host), port: port)
    }

    static func list(_ text: String) throws(KafkaError) -> [BrokerAddress] {
        var addresses: [BrokerAddress] = []
        for (index, part) in text.split(separator: ",").enumerated() {
            guard let address = BrokerAddress(String(part).trimmed) else {
                // The text itself is not shown: it may be a URI with a password.
                throw KafkaError(
                    .invalidConfig, "entry \(index + 1) of bootstrap.servers is invalid; host:port is expected")
            }
            addresses.append(address)
        }
        guard !addresses.isEmpty else {
            throw KafkaError(.invalidConfig, "no bootstrap server is given; host:port is expected")
        }
        return addresses
    }

    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
