import Foundation

/// A password, key or token. Printing, logging or dumping it shows a mask instead.
public struct Secret: Sendable, ExpressibleByStringLiteral {
    /// The secret itself. Code that reads it must not show it.
    public let value: String

    /// Creates a secret from a text that was read at run time.
    public init(_ value: String) {
        self.value = value
    }

    /// Creates a secret from a literal, for tests and examples. Anybody who has the source or the program can read it.
    public init(stringLiteral value: String) {
        self.init(value)
    }

    /// Returns a foreign text, such as a broker's error message, with the secret masked.
    ///
    /// Compares bytes, since a combining mark after the secret would change its last `Character`.
    func removed(from text: String) -> String {
        let secret = Array(value.utf8)
        guard !secret.isEmpty else { return text }
        var shown: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let range = rest.firstRange(of: secret) {
            shown += rest[..<range.lowerBound]
            shown += Array(Self.mask.utf8)
            rest = rest[range.upperBound...]
        }
        shown += rest
        let result = String(decoding: shown, as: UTF8.self)
        // A broker may have normalised the text, so that the same characters are other bytes (é as one scalar or two).
        let normalised = Array(result.decomposedStringWithCanonicalMapping.utf8)
        let isLeft = normalised.firstRange(of: Array(value.decomposedStringWithCanonicalMapping.utf8)) != nil
        return isLeft && !value.utf8.allSatisfy { $0 < 0x80 } ? Self.mask : result
    }

    static let mask = "[hidden]"

    /// Returns a path for an error message, masked if it may be a URI or a login in the wrong place.
    static func shownPath(_ path: String) -> String {
        let bytes = Array(path.utf8)
        let mayHoldSecret = bytes.contains(UInt8(ascii: "@")) || bytes.contains(Array("://".utf8))
        return mayHoldSecret ? "(not shown, it may hold a secret)" : path
    }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// A mask, not the secret.
    public var description: String { Self.mask }
    /// A mask, not the secret.
    public var debugDescription: String { Self.mask }
    /// A mirror without children, for `dump` and debuggers.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
