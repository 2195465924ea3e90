/// Encodes the Kafka protocol's primitive types; the counterpart of `WireReader`.
///
/// Failures are sticky: after a value that the version can't encode, `finish()` throws.
package struct WireWriter: Sendable {
    package private(set) var bytes: [UInt8] = []
    package let isFlexible: Bool
    /// Byte fields from this size on are attached instead of copied into `bytes`.
    private let attachedSize: Int
    /// The fields that were attached, in order.
    package private(set) var attachments: [RequestFrame.Attachment] = []
    private var attachedByteCount = 0
    private var failure: ProtocolError?

    /// - Parameter attachedSize: The smallest byte field that is attached instead of copied, in bytes; none by default.
    package init(isFlexible: Bool, reserving capacity: Int = 0, attachingFrom attachedSize: Int = .max) {
        self.isFlexible = isFlexible
        self.attachedSize = attachedSize
        bytes.reserveCapacity(capacity)
    }

    /// The number of bytes written, with those of attached fields.
    package var count: Int { bytes.count + attachedByteCount }
    package var hasFailed: Bool { failure != nil }

    /// Ends encoding.
    ///
    /// - Returns: The encoded bytes.
    /// - Throws: The first failure.
    package consuming func finish() throws(ProtocolError) -> [UInt8] {
        if let failure { throw failure }
        return bytes
    }

    /// Marks the message as invalid. The first reason is kept.
    package mutating func fail(_ reason: String) {
        if failure == nil { failure = ProtocolError(reason, at: count) }
    }

    /// Omits a field that the version doesn't have.
    ///
    /// Fails unless the field has the default value that the receiver assumes.
    package mutating func omit(_ field: StaticString, isDefault: Bool) {
        if !isDefault { fail("\(field) is set, but this version cannot encode it") }
    }

    // MARK: Fixed-width types

    private mutating func store(_ value: some FixedWidthInteger & BitwiseCopyable) {
        unsafe withUnsafeBytes(of: value.bigEndian) { unsafe bytes.append(contentsOf: $0) }
    }

    package mutating func int8(_ value: Int8) { store(value) }
    package mutating func int16(_ value: Int16) { store(value) }
    package mutating func int32(_ value: Int32) { store(value) }
    package mutating func int64(_ value: Int64) { store(value) }
    package mutating func uint16(_ value: UInt16) { store(value) }
    package mutating func uint32(_ value: UInt32) { store(value) }
    package mutating func float64(_ value: Double) { store(value.bitPattern) }
    package mutating func bool(_ value: Bool) { bytes.append(value ? 1 : 0) }

    package mutating func uuid(_ value: KafkaUUID) {
        store(value.high)
        store(value.low)
    }

    package mutating func unsignedVarint(_ value: UInt32) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    // MARK: Strings, bytes, arrays

    private mutating func length(_ length: Int?, _ fixed: (inout WireWriter, Int) -> Void) {
        if let length, length > Int32.max { return fail("a length of \(length) has more than 31 bits") }
        if isFlexible {
            unsignedVarint(length.map { UInt32($0) + 1 } ?? 0)
        } else {
            fixed(&self, length ?? -1)
        }
    }

    /// - Parameter isNullable: Whether the version allows null.
    package mutating func nullableString(_ value: String?, isNullable: Bool = true) {
        guard let value else {
            if !isNullable { fail("a string is null, but this version does not allow null") }
            return length(nil) { $0.int16(Int16($1)) }
        }
        let count = value.utf8.count
        guard count <= Int16.max else { return fail("a string of \(count) bytes exceeds the limit of \(Int16.max)") }
        length(count) { $0.int16(Int16($1)) }
        bytes.append(contentsOf: value.utf8)
    }

    package mutating func string(_ value: String) { nullableString(value) }

    package mutating func nullableBytes(_ value: ByteSlice?) {
        guard let value else { return length(nil) { $0.int32(Int32($1)) } }
        byteLength(value.count)
        raw(value)
    }

    package mutating func byteField(_ value: ByteSlice) { nullableBytes(value) }

    /// Writes the length of a byte field. The caller writes its content next, with `raw`.
    package mutating func byteLength(_ count: Int) {
        length(count) { $0.int32(Int32($1)) }
    }

    package mutating func raw(_ slice: ByteSlice) {
        guard slice.count < attachedSize else {
            attachments.append(RequestFrame.Attachment(position: bytes.count, content: slice))
            attachedByteCount += slice.count
            return
        }
        unsafe slice.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    }

    package mutating func raw(_ content: some Collection<UInt8>) {
        bytes.append(contentsOf: content)
    }

    /// - Parameter isNullable: Whether the version allows null.
    package mutating func nullableArray<Element>(
        _ elements: [Element]?, isNullable: Bool = true, _ element: (inout WireWriter, Element) -> Void
    ) {
        if elements == nil, !isNullable { fail("an array is null, but this version does not allow null") }
        length(elements?.count) { $0.int32(Int32($1)) }
        for value in elements ?? [] { element(&self, value) }
    }

    package mutating func array<Element>(_ elements: [Element], _ element: (inout WireWriter, Element) -> Void) {
        nullableArray(elements, element)
    }

    // MARK: Tagged fields

    package typealias TaggedField = (tag: UInt32, write: (inout WireWriter) -> Void)

    /// Writes the tagged fields at the end of a structure; does nothing in versions that aren't flexible.
    ///
    /// - Parameter fields: The fields that differ from their defaults, sorted by tag.
    package mutating func tags(_ fields: [TaggedField] = []) {
        guard isFlexible else { return }
        unsignedVarint(UInt32(truncatingIfNeeded: fields.count))
        for field in fields {
            var content = WireWriter(isFlexible: true)
            field.write(&content)
            if let failure = content.failure { fail("tagged field \(field.tag): \(failure.reason)") }
            unsignedVarint(field.tag)
            unsignedVarint(UInt32(truncatingIfNeeded: content.count))
            raw(content.bytes)
        }
    }

    /// Replaces a 32-bit number that was written before any attachment, for lengths that are known only at the end.
    package mutating func overwriteInt32(_ value: Int32, at position: Int) {
        unsafe withUnsafeBytes(of: value.bigEndian) { source in
            for index in 0..<4 { unsafe bytes[position + index] = source[index] }
        }
    }
}
