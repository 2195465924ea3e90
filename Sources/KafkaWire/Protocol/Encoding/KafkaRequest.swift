/// A structure of the protocol that can be read and written at each version that it has.
///
/// The version is a parameter, not part of the value: one value serves all versions, and a field that a version
/// doesn't carry has its default after reading.
package protocol WireMessage: Sendable, Equatable {
    init(from reader: inout WireReader, version: Int16)
    func encode(to writer: inout WireWriter, version: Int16)

    /// For how long the broker wants to be left alone, in milliseconds (KIP-219). A response with a field of this name
    /// has it; for everything else it is 0.
    var throttleTimeMs: Int32 { get }
}

extension WireMessage {
    package var throttleTimeMs: Int32 { 0 }
}

/// A request of one API, with what is known of the API at the type.
package protocol KafkaRequest: WireMessage {
    associatedtype Response: WireMessage

    static var apiKey: APIKey { get }
    /// The versions that this client can write and read.
    static var versions: ClosedRange<Int16> { get }
    /// The first version with compact fields and tags (KIP-482), in the request and its response.
    static var firstFlexibleVersion: Int16 { get }
}

extension KafkaRequest {
    package static func isFlexible(_ version: Int16) -> Bool { version >= firstFlexibleVersion }

    /// ApiVersions answers with the old header always, so that a client reads the answer before it knows what the
    /// broker speaks (KIP-511).
    package static func hasFlexibleResponseHeader(_ version: Int16) -> Bool {
        isFlexible(version) && apiKey != .apiVersions
    }

    /// The whole request as it goes over the wire, in one piece.
    ///
    /// - Throws: If a field is set that the version can't carry and that the broker must not miss.
    package func frame(version: Int16, correlationID: Int32, clientID: String?) throws(ProtocolError) -> [UInt8] {
        try encoded(version: version, correlationID: correlationID, clientID: clientID, attachingFrom: .max).bytes
    }

    /// The whole request as it goes over the wire, with record batches in their own memory.
    ///
    /// - Throws: If a field is set that the version can't carry and that the broker must not miss.
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
        header.nullableString(clientID)  // never compact, in header version 2 neither
        if Self.isFlexible(version) { header.unsignedVarint(0) }
        var writer = WireWriter(
            isFlexible: Self.isFlexible(version), reserving: 256, attachingFrom: attachedSize)
        writer.raw(try header.finish())
        encode(to: &writer, version: version)
        guard let length = Int32(exactly: writer.count - 4) else {
            throw ProtocolError("a request of \(writer.count) bytes is longer than a frame can be", at: 0)
        }
        writer.overwriteInt32(length, at: 0)
        do throws(ProtocolError) {
            let attachments = writer.attachments
            return RequestFrame(try writer.finish(), attachments: attachments)
        } catch {
            throw ProtocolError("\(Self.apiKey.name) version \(version): \(error.reason)", at: error.position)
        }
    }

    /// Reads an answer's body, given the frame without its length.
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
