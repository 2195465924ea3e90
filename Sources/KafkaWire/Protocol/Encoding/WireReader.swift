/// Reads the Kafka protocol's primitive types from a frame.
///
/// The failure is sticky: after the first read that doesn't fit every further one gives zero or nothing, and one
/// `finish()` at the end tells. So a decoder is a plain list of its fields, and can't act on half a message as
/// long as it ends with `finish()`. No count or length is believed before the bytes for it are seen to be there.
///
/// Source: Kafka protocol guide, "Protocol Primitive Types"; KIP-482 for the flexible encodings.
package struct WireReader: Sendable {
    /// What is read. Positions count from its beginning.
    package let bytes: ByteSlice
    package private(set) var position = 0
    /// Whether strings, byte fields and arrays have the compact encodings, and structures end with tags.
    package let isFlexible: Bool
    private var failure: ProtocolError?

    package init(_ bytes: ByteSlice, isFlexible: Bool) {
        self.bytes = bytes
        self.isFlexible = isFlexible
    }

    package var remaining: Int { bytes.count - position }
    package var hasFailed: Bool { failure != nil }

    /// Ends the reading: an earlier failure, or bytes left over, is an error.
    package func finish() throws(ProtocolError) {
        if let failure { throw failure }
        if remaining > 0 {
            throw ProtocolError("\(remaining) bytes are left over after the message", at: position)
        }
    }

    /// Passes over what is left, for messages whose later versions only add fields.
    package mutating func skipRest() {
        position = bytes.count
    }

    /// Marks the message as unusable; the first reason given stays.
    package mutating func fail(_ reason: String) {
        if failure == nil { failure = ProtocolError(reason, at: position) }
    }

    // MARK: Fixed-width types

    private mutating func load<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) -> T {
        guard failure == nil, remaining >= MemoryLayout<T>.size else {
            fail("a field of \(MemoryLayout<T>.size) bytes goes past the end")
            return 0
        }
        // The guard above has seen that the bytes are there.
        let value = unsafe bytes.span.unsafeLoadUnaligned(fromUncheckedByteOffset: position, as: T.self)
        position += MemoryLayout<T>.size
        return T(bigEndian: value)
    }

    package mutating func int8() -> Int8 { load(Int8.self) }
    package mutating func int16() -> Int16 { load(Int16.self) }
    package mutating func int32() -> Int32 { load(Int32.self) }
    package mutating func int64() -> Int64 { load(Int64.self) }
    package mutating func uint16() -> UInt16 { load(UInt16.self) }
    package mutating func uint32() -> UInt32 { load(UInt32.self) }
    package mutating func float64() -> Double { Double(bitPattern: load(UInt64.self)) }
    package mutating func bool() -> Bool { load(UInt8.self) != 0 }

    package mutating func uuid() -> KafkaUUID {
        let high = load(UInt64.self)
        return KafkaUUID(high: high, low: load(UInt64.self))
    }

    /// An unsigned variable-length integer of at most 32 bits.
    package mutating func unsignedVarint() -> UInt32 {
        var value: UInt32 = 0
        for shift in stride(from: UInt32(0), through: 28, by: 7) {
            let byte = load(UInt8.self)
            if hasFailed { return 0 }
            if shift == 28, byte > 0x0f { break }
            value |= UInt32(byte & 0x7f) << shift
            if byte & 0x80 == 0 { return value }
        }
        fail("a variable-length integer has more than 32 bits")
        return 0
    }

    // MARK: Strings, bytes, arrays

    /// The length of a string, byte field or array, or nil where it is null; at most what is left to read.
    private mutating func length(_ kind: StaticString, _ fixed: (inout WireReader) -> Int) -> Int? {
        let length = isFlexible ? Int(unsignedVarint()) - 1 : fixed(&self)
        if hasFailed || length == -1 { return nil }
        guard length >= 0, length <= remaining else {
            fail("the \(kind) of length \(length) has only \(remaining) bytes to be in")
            return nil
        }
        return length
    }

    private mutating func take(_ count: Int) -> ByteSlice {
        defer { position += count }
        return bytes.slice(position..<position + count)
    }

    /// - Parameter isNullable: Whether the version allows null.
    package mutating func nullableString(isNullable: Bool = true) -> String? {
        guard let length = length("string", { Int($0.int16()) }) else {
            if !isNullable { fail("a string is null where it must not be") }
            return nil
        }
        let slice = take(length)
        guard let string = unsafe slice.withUnsafeBytes({ unsafe String(validating: $0, as: UTF8.self) }) else {
            fail("a string isn't UTF-8")
            return nil
        }
        return string
    }

    package mutating func string() -> String {
        nullableString(isNullable: false) ?? ""
    }

    package mutating func nullableBytes() -> ByteSlice? {
        guard let length = length("byte field", { Int($0.int32()) }) else { return nil }
        return take(length)
    }

    package mutating func byteField() -> ByteSlice {
        if let bytes = nullableBytes() { return bytes }
        fail("a byte field is null where it must not be")
        return ByteSlice([])
    }

    /// An array whose elements `element` reads; each takes at least one byte, which bounds the count.
    ///
    /// - Parameter isNullable: Whether the version allows null.
    package mutating func nullableArray<Element>(
        isNullable: Bool = true, _ element: (inout WireReader) -> Element
    ) -> [Element]? {
        guard let count = length("array", { Int($0.int32()) }) else {
            if !isNullable { fail("an array is null where it must not be") }
            return nil
        }
        var elements: [Element] = []
        // An element's size in memory isn't its size on the wire: what is reserved stays small until it is read.
        elements.reserveCapacity(min(count, 1024))
        for _ in 0..<count {
            elements.append(element(&self))
            if hasFailed { return [] }
        }
        return elements
    }

    package mutating func array<Element>(_ element: (inout WireReader) -> Element) -> [Element] {
        nullableArray(isNullable: false, element) ?? []
    }

    // MARK: Tagged fields

    /// Reads the tags that end a structure in a flexible version, and nothing in others.
    ///
    /// - Parameter field: Called for each tag with a reader of that field alone; returns whether it knows the tag.
    ///   What it doesn't know is skipped.
    package mutating func tags(_ field: (UInt32, inout WireReader) -> Bool = { _, _ in false }) {
        guard isFlexible else { return }
        let count = Int(unsignedVarint())
        guard count <= remaining / 2 else {
            fail("\(count) tagged fields have only \(remaining) bytes to be in")
            return
        }
        for _ in 0..<count {
            let tag = unsignedVarint()
            let size = Int(unsignedVarint())
            guard !hasFailed, size <= remaining else {
                fail("tagged field \(tag) of \(size) bytes has only \(remaining) bytes to be in")
                return
            }
            var reader = WireReader(take(size), isFlexible: true)
            if field(tag, &reader) {
                do throws(ProtocolError) { try reader.finish() } catch { fail("tagged field \(tag): \(error.reason)") }
            }
        }
    }
}

/// Bytes that don't have the form that the protocol asks for.
package struct ProtocolError: Error, Equatable, CustomStringConvertible {
    package let reason: String
    /// Where in the message, in bytes from its beginning.
    package let position: Int

    package init(_ reason: String, at position: Int) {
        self.reason = reason
        self.position = position
    }

    package var description: String { "\(reason) (at byte \(position))" }
}
