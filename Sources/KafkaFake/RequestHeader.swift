import KafkaWire

/// A request's header (header versions 1 and 2).
struct RequestHeader {
    let apiKey: Int16
    let version: Int16
    let correlationID: Int32
    let clientID: String?
    /// The bytes after the header. In a flexible version they begin with the header's tags.
    private let rest: ByteSlice

    init(_ frame: ByteSlice) throws(ProtocolError) {
        var reader = WireReader(frame, isFlexible: false)
        apiKey = reader.int16()
        version = reader.int16()
        correlationID = reader.int32()
        clientID = reader.nullableString()
        if reader.hasFailed { try reader.finish() }
        rest = frame.slice(reader.position..<frame.count)
    }

    /// Reads the body.
    func body<R: KafkaRequest>(as _: R.Type) throws(ProtocolError) -> R {
        var reader = WireReader(rest, isFlexible: R.isFlexible(version))
        reader.tags()
        let request = R(from: &reader, version: version)
        try reader.finish()
        return request
    }
}

extension KafkaRequest {
    /// Encodes an answer as a frame: length, header (version 0, or 1 if flexible), body.
    static func responseFrame(
        _ response: Response, version: Int16, correlationID: Int32
    ) throws(ProtocolError) -> [UInt8] {
        var writer = WireWriter(isFlexible: isFlexible(version), reserving: 256)
        writer.int32(0)
        writer.int32(correlationID)
        if hasFlexibleResponseHeader(version) { writer.unsignedVarint(0) }
        response.encode(to: &writer, version: version)
        guard let length = Int32(exactly: writer.count - 4) else {
            throw ProtocolError("an answer of \(writer.count) bytes is longer than a frame can be", at: 0)
        }
        writer.overwriteInt32(length, at: 0)
        return try writer.finish()
    }
}
