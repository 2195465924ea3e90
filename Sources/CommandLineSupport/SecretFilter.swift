import Concurrency

/// Removes possible secrets of the command line from texts for standard error.
///
/// The programs themselves never repeat such arguments (see `ShownArgument`). This is the safeguard for texts from
/// elsewhere: a broker, a server or a library may repeat a value in its error.
public final class SecretFilter: Sendable {
    /// The filter of this process.
    public static let shared = SecretFilter()

    /// The shortest value that is removed, in bytes: removing shorter ones would mangle sentences.
    private static let shortest = 4
    private static let secretNames = ["password", "secret", "jaas", "token", "credential", "keystore.key"]

    private let hidden = Lock<[[UInt8]]>([])

    public init() {}

    /// Records the arguments that may be secrets, and those in environment variables for options.
    public func hide(_ arguments: [String], environment: [String: String] = [:]) {
        var secrets: Set<[UInt8]> = []
        let values = environment.filter { $0.key.hasPrefix("TFI_") }.flatMap { $0.value.split(separator: "\n") }
        for argument in arguments + values.map(String.init) { secrets.formUnion(Self.secrets(in: argument)) }
        // Longest first, since a longer one may contain a shorter one.
        let sorted = secrets.sorted { $0.count > $1.count }
        hidden.withLock { $0 = sorted }
    }

    /// Replaces each secret in a text. Compares bytes.
    public func removed(from text: String) -> String {
        let hidden = hidden.withLock { $0 }
        guard !hidden.isEmpty else { return text }
        var bytes = Array(text.utf8)
        for secret in hidden where bytes.contains(secret) {
            bytes = bytes.replacing(secret, with: Array(ShownArgument.hidden.utf8))
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The parts of an argument that must not be shown: addresses, the passwords in them, and the values of settings
    /// whose names suggest secrets.
    private static func secrets(in argument: String) -> [[UInt8]] {
        var secrets: [[UInt8]] = []
        let parts = argument.split(separator: "=", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        // --name=value, NAME=VALUE, and --property=NAME=VALUE.
        let suffixes = parts.indices.map { parts[$0...].joined(separator: "=") }
        for (index, text) in suffixes.enumerated() {
            let name = index > 0 ? parts[index - 1].lowercased() : ""
            if ShownArgument.isAddress(text) || secretNames.contains(where: name.contains) {
                secrets.append(Array(text.utf8))
            }
            for address in text.split(separator: ",") {
                if let password = password(in: String(address)) { secrets.append(password) }
            }
        }
        return secrets.filter { $0.count >= shortest }
    }

    /// The part between the first colon and the last `@` of `scheme://user:password@host`; nil if there is none.
    private static func password(in address: String) -> [UInt8]? {
        var bytes = Array(address.utf8)[...]
        if let scheme = bytes.firstRange(of: Array("://".utf8)) { bytes = bytes[scheme.upperBound...] }
        guard let end = bytes.lastIndex(of: UInt8(ascii: "@")),
            let colon = bytes[..<end].firstIndex(of: UInt8(ascii: ":"))
        else { return nil }
        return Array(bytes[(colon + 1)..<end])
    }
}
