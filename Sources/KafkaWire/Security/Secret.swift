import Foundation

/// A password, key or token: it shows itself to nobody who prints, logs or dumps what it is part of.
public struct Secret: Sendable, ExpressibleByStringLiteral {
    /// The secret itself. Whoever reads it sees to it that it isn't shown.
    public let value: String

    /// From a text that was read at run time. One in the source is a `Secret` by itself, and no secret: only for tests.
    public init(_ value: String) {
        self.value = value
    }

    /// For tests and examples; who can read the source, or the program, can read it.
    public init(stringLiteral value: String) {
        self.init(value)
    }

    /// A text from elsewhere, such as a broker's reason for a refusal, with the secret masked.
    ///
    /// Compares bytes: a combining mark after the secret makes another `Character` of its end.
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
        // The same characters can be other bytes (é as one scalar or as two), which a broker may have normalised.
        let normalised = Array(result.decomposedStringWithCanonicalMapping.utf8)
        let isLeft = normalised.firstRange(of: Array(value.decomposedStringWithCanonicalMapping.utf8)) != nil
        return isLeft && !value.utf8.allSatisfy { $0 < 0x80 } ? Self.mask : result
    }

    static let mask = "[hidden]"

    /// A path as part of an error, unless it may be a URI or a login in the wrong place.
    static func shownPath(_ path: String) -> String {
        let bytes = Array(path.utf8)
        let mayHoldSecret = bytes.contains(UInt8(ascii: "@")) || bytes.contains(Array("://".utf8))
        return mayHoldSecret ? "(not shown, it may hold a secret)" : path
    }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { Self.mask }
    public var debugDescription: String { Self.mask }
    /// Without children, for `dump` and debuggers.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
