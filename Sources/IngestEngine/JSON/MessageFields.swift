/// Looks up values in messages by path, for decisions before rows are encoded: conditions, embedded JSON, and arrays
/// that become several rows.
///
/// Validates whole messages by the rules of ``RowEncoder``. Not thread-safe: each worker has its own.
public struct MessageFields: ~Copyable {
    /// A value's type and its position in the message.
    public struct Value: Sendable, Equatable {
        public enum Kind: Sendable, Hashable {
            case string, number, bool, null, object, array
        }

        public let kind: Kind
        /// The bytes of its JSON text, including a string's quotes.
        public let range: Range<Int>
    }

    private var scanner: MessageScanner

    public init(_ paths: [JSONPath]) {
        scanner = MessageScanner(paths, collectsUnused: false)
    }

    /// Scans a message for the values.
    ///
    /// - Returns: nil, or the reason why the message isn't valid JSON.
    public mutating func read(_ message: RawSpan) -> String? {
        // The view is used only during this call.
        let isValid = unsafe message.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return scanner.scan(.empty) }
            return scanner.scan(unsafe ByteView(base, bytes.count))
        }
        return isValid ? nil : "\(scanner.problem.reason) (byte \(scanner.position) of \(message.byteCount))"
    }

    /// The value of a path in the last message; nil if the message lacks it.
    ///
    /// - Parameter index: The path's index in ``init(_:)``.
    public func value(_ index: Int) -> Value? {
        scanner.slot(scanner.tree.slots[index]).map(Self.value)
    }

    /// A string's unescaped characters, or the JSON text of any other value; nil if the message lacks it.
    public func text(_ index: Int, in message: RawSpan) -> [UInt8]? {
        guard let slot = scanner.slot(scanner.tree.slots[index]) else { return nil }
        let range = Int(slot.offset)..<Int(slot.offset) + Int(slot.length)
        guard range.upperBound <= message.byteCount else { return nil }
        return unsafe message.extracting(range).withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress, bytes.count > 0 else { return [] }
            guard slot.hasEscapes else { return unsafe Array(bytes) }
            return unsafe [UInt8](unsafeUninitializedCapacity: bytes.count + 16) { buffer, count in
                guard let target = buffer.baseAddress else { return }
                count = unsafe JSONText.unescape(ByteView(base, bytes.count), to: UnsafeMutableRawPointer(target))
            }
        }
    }

    /// The elements of an array in the last message; nil if the path's value isn't an array.
    public func elements(_ index: Int, in message: RawSpan) -> [Value]? {
        guard let slot = scanner.slot(scanner.tree.slots[index]), slot.kind == .array else { return nil }
        return unsafe message.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return nil }
            return elements(unsafe ByteView(base, bytes.count), from: Int(slot.offset))
        }
    }

    private func elements(_ message: ByteView, from start: Int) -> [Value]? {
        var reader = JSONScanner(message, nesting: scanner.nesting)
        var position = reader.skipSpace(start + 1)
        var values: [Value] = []
        if message.byte(orZero: position) == UInt8(ascii: "]") { return values }
        while true {
            var slot = JSONSlot()
            let end = reader.value(at: position, into: &slot, depth: 0)
            guard end >= 0 else { return nil }
            values.append(Self.value(slot))
            position = reader.skipSpace(end)
            if message.byte(orZero: position) == UInt8(ascii: "]") { return values }
            guard message.byte(orZero: position) == UInt8(ascii: ",") else { return nil }
            position = reader.skipSpace(position + 1)
        }
    }

    private static func value(_ slot: JSONSlot) -> Value {
        let quotes = slot.kind == .string ? 1 : 0
        let start = Int(slot.offset) - quotes
        let kind: Value.Kind =
            switch slot.kind {
            case .string: .string
            case .number: .number
            case .true, .false: .bool
            case .null: .null
            case .object: .object
            case .array: .array
            }
        return Value(kind: kind, range: start..<start + Int(slot.length) + 2 * quotes)
    }
}
