/// A protocol structure that can be decoded and encoded in each of its versions.
///
/// The version is a parameter, not part of the value. After decoding, a field that the version doesn't have is at its
/// default.
package protocol WireMessage: Sendable, Equatable {
    init(from reader: inout WireReader, version: Int16)
    func encode(to writer: inout WireWriter, version: Int16)

    /// How long the broker throttles the client, in milliseconds (KIP-219); 0 for structures without this field.
    var throttleTimeMs: Int32 { get }
}

extension WireMessage {
    package var throttleTimeMs: Int32 { 0 }
}

/// A request of one API. The type has the API's key and versions.
package protocol KafkaRequest: WireMessage {
    associatedtype Response: WireMessage

    static var apiKey: APIKey { get }
    /// The versions that this client supports.
    static var versions: ClosedRange<Int16> { get }
    /// The first version whose request and response have compact fields and tags (KIP-482).
    static var firstFlexibleVersion: Int16 { get }
}

extension KafkaRequest {
    package static func isFlexible(_ version: Int16) -> Bool { version >= firstFlexibleVersion }

    /// Whether the response has the flexible header.
    ///
    /// ApiVersions responses never do, so that a client can decode them before it knows the broker's versions
    /// (KIP-511).
    package static func hasFlexibleResponseHeader(_ version: Int16) -> Bool {
        isFlexible(version) && apiKey != .apiVersions
    }

    /// Encodes the whole request in one piece.
    ///
    /// - Throws: `ProtocolError` if a field is set that the version can't encode and the broker must not ignore.
    package func frame(version: Int16, correlationID: Int32, clientID: String?) throws(ProtocolError) -> [UInt8] {
        try encoded(version: version, correlationID: correlationID, clientID: clientID, attachingFrom: .max).bytes
    }

    /// Encodes the whole request, and keeps record batches in their own memory.
    ///
    /// - Throws: `ProtocolError` if a field is set that the version can't encode and the broker must not ignore.
    package func requestFrame(
        version: Int16, correlationID: Int32, clientID: String?
    ) throws(ProtocolError) -> RequestFrame {
        // Copying a smaller field costs less than another piece of the socket's call.
        try encoded(version: version, correlationID: correlationID, clientID: clientID, attachingFrom: 4096)
    }

    /// Length, header (version 1, or 2 if flexible), body.
    private func encoded(
        version: Int16, correlationID: Int32, clientID: String?, attachingFrom attachedSize: Int
    ) throws(ProtocolError) -> RequestFrame {
        var header = WireWriter(isFlexible: false)
        header.int32(0)
        header.int16(Self.apiKey.rawValue)
        header.int16(version)
        header.int32(correlationID)
        header.nullableString(clientID)  // not compact, even in header version 2
        if Self.isFlexible(version) { header.unsignedVarint(0) }
        var writer = WireWriter(
            isFlexible: Self.isFlexible(version), reserving: 256, attachingFrom: attachedSize)
        writer.raw(try header.finish())
        encode(to: &writer, version: version)
        guard let length = Int32(exactly: writer.count - 4) else {
            throw ProtocolError("a request of \(writer.count) bytes exceeds the largest frame", at: 0)
        }
        writer.overwriteInt32(length, at: 0)
        do throws(ProtocolError) {
            let attachments = writer.attachments
            return RequestFrame(try writer.finish(), attachments: attachments)
        } catch {
            throw ProtocolError("\(Self.apiKey.name) version \(version): \(error.reason)", at: error.position)
        }
    }

    /// Decodes a response from its frame, without the length.
    package static func decodeResponse(_ frame: ByteSlice, version: Int16) throws(ProtocolError) -> Response {
        var header = WireReader(frame, isFlexible: hasFlexibleResponseHeader(version))
        _ = header.int32()
        header.tags()
        if header.hasFailed { try header.finish() }
        var reader = WireReader(frame.slice(header.position..<frame.count), isFlexible: isFlexible(version))
        let response = Response(from: &reader, version: version)
        try reader.finish()
        return response
    }
}
