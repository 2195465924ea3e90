/// The address at which a server listens: an interface's address or host name, and a port.
public struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    public let host: String
    /// The port; 0 for any free one.
    public let port: UInt16

    public static let loopback = "127.0.0.1"

    public init(host: String = loopback, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Parses `host:port`, `[address]:port` for IPv6, or only a port for the loopback interface; nil for anything
    /// else.
    public init?(parsing text: String) {
        guard let colon = text.lastIndex(of: ":") else {
            guard let port = UInt16(text) else { return nil }
            self.init(port: port)
            return
        }
        guard let port = UInt16(text[text.index(after: colon)...]) else { return nil }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
            guard host.contains(":") else { return nil }
        } else if host.contains(":") {
            return nil
        }
        let isName = host.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ":")
            }
        }
        // An empty host is ambiguous: to some it means all interfaces, to others the loopback interface.
        guard isName, !host.isEmpty else { return nil }
        self.init(host: host, port: port)
    }

    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
