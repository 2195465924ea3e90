/// Decodes the Kafka protocol's primitive types from a frame.
///
/// Failures are sticky: after the first failure all reads return zero or empty values, and `finish()` throws. So a
/// decoder just lists its fields and ends with `finish()`, which prevents the use of a partly decoded message. Every
/// count and length is checked against the remaining bytes.
///
/// Source: Kafka protocol guide, "Protocol Primitive Types"; KIP-482 for the flexible encodings.
package struct WireReader: Sendable {
    /// The bytes to decode. Positions are relative to their start.
    package let bytes: ByteSlice
    package private(set) var position = 0
    /// Whether strings, byte fields and arrays are compact, and structures end with tags (KIP-482).
    package let isFlexible: Bool
    private var failure: ProtocolError?

    package init(_ bytes: ByteSlice, isFlexible: Bool) {
        self.bytes = bytes
        self.isFlexible = isFlexible
    }

    package var remaining: Int { bytes.count - position }
    package var hasFailed: Bool { failure != nil }

    /// Ends decoding.
    ///
    /// - Throws: The first failure, or an error if bytes are left.
    package func finish() throws(ProtocolError) {
        if let failure { throw failure }
        if remaining > 0 {
            throw ProtocolError("\(remaining) unexpected bytes follow the message", at: position)
        }
    }

    /// Skips the remaining bytes, for messages whose later versions only add fields.
    package mutating func skipRest() {
        position = bytes.count
    }

    /// Marks the message as malformed. The first reason is kept.
    package mutating func fail(_ reason: String) {
        if failure == nil { failure = ProtocolError(reason, at: position) }
    }

    // MARK: Fixed-width types

    private mutating func load<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) -> T {
        guard failure == nil, remaining >= MemoryLayout<T>.size else {
            fail("a field of \(MemoryLayout<T>.size) bytes exceeds the remaining bytes")
            return 0
        }
        // The guard has checked the bounds.
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

    /// Reads an unsigned variable-length integer of at most 32 bits.
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

    /// The length of a string, byte field or array, at most the number of remaining bytes; nil for null.
    private mutating func length(_ kind: StaticString, _ fixed: (inout WireReader) -> Int) -> Int? {
        let length = isFlexible ? Int(unsignedVarint()) - 1 : fixed(&self)
        if hasFailed || length == -1 { return nil }
        guard length >= 0, length <= remaining else {
            fail("the \(kind) has the length \(length), but only \(remaining) bytes are left")
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
            if !isNullable { fail("a string is null, but its field is not nullable") }
            return nil
        }
        let slice = take(length)
        guard let string = unsafe slice.withUnsafeBytes({ unsafe String(validating: $0, as: UTF8.self) }) else {
            fail("a string is not valid UTF-8")
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
        fail("a byte field is null, but it is not nullable")
        return ByteSlice([])
    }

    /// Reads an array; nil for null. Each element takes at least one byte, which limits the count.
    ///
    /// - Parameter isNullable: Whether the version allows null.
    package mutating func nullableArray<Element>(
        isNullable: Bool = true, _ element: (inout WireReader) -> Element
    ) -> [Element]? {
        guard let count = length("array", { Int($0.int32()) }) else {
            if !isNullable { fail("an array is null, but its field is not nullable") }
            return nil
        }
        var elements: [Element] = []
        // An element may be larger in memory than on the wire, so don't reserve memory for a large count in advance.
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

    /// Reads the tagged fields at the end of a structure; does nothing in versions that aren't flexible.
    ///
    /// - Parameter field: Called for each tag with a reader for that field's bytes. Returns whether the tag is known;
    ///   unknown fields are skipped.
    package mutating func tags(_ field: (UInt32, inout WireReader) -> Bool = { _, _ in false }) {
        guard isFlexible else { return }
        let count = Int(unsignedVarint())
        guard count <= remaining / 2 else {
            fail("the structure has \(count) tagged fields, but only \(remaining) bytes are left")
            return
        }
        for _ in 0..<count {
            let tag = unsignedVarint()
            let size = Int(unsignedVarint())
            guard !hasFailed, size <= remaining else {
                fail("tagged field \(tag) has \(size) bytes, but only \(remaining) bytes are left")
                return
            }
            var reader = WireReader(take(size), isFlexible: true)
            if field(tag, &reader) {
                do throws(ProtocolError) { try reader.finish() } catch { fail("tagged field \(tag): \(error.reason)") }
            }
        }
    }
}

/// A malformed message, or one that can't be encoded.
package struct ProtocolError: Error, Equatable, CustomStringConvertible {
    package let reason: String
    /// The position in the message, in bytes from its start.
    package let position: Int

    package init(_ reason: String, at position: Int) {
        self.reason = reason
        self.position = position
    }

    package var description: String { "\(reason) (at byte \(position))" }
}
