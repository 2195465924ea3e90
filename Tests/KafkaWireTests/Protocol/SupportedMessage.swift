import KafkaWire
import Testing

/// A supported request or response, for tests that cover all of them.
struct SupportedMessage: Sendable, CustomTestStringConvertible {
    /// The name in Kafka's definitions, such as `FetchRequest`.
    let name: String
    let type: any (WireMessage & RandomValue).Type
    let apiKey: APIKey
    let versions: ClosedRange<Int16>
    let firstFlexibleVersion: Int16

    var testDescription: String { name }

    static let all = records + groups + transactions + epochs + security + administration

    static let records = [
        pair(ApiVersionsRequest.self), pair(MetadataRequest.self), pair(ListOffsetsRequest.self),
        pair(FetchRequest.self), pair(ProduceRequest.self), pair(CreateTopicsRequest.self),
        pair(DeleteTopicsRequest.self), pair(FindCoordinatorRequest.self), pair(OffsetCommitRequest.self),
        pair(OffsetFetchRequest.self), pair(InitProducerIdRequest.self),
    ].flatMap { $0 }

    static func pair<Request: KafkaRequest & RandomValue>(_: Request.Type) -> [SupportedMessage]
    where Request.Response: RandomValue {
        [("Request", Request.self), ("Response", Request.Response.self)].map { suffix, type in
            SupportedMessage(
                name: Request.apiKey.name + suffix, type: type, apiKey: Request.apiKey, versions: Request.versions,
                firstFlexibleVersion: Request.firstFlexibleVersion)
        }
    }

    func encoded<Message: WireMessage>(_ message: Message, version: Int16) throws(ProtocolError) -> [UInt8] {
        var writer = WireWriter(isFlexible: version >= firstFlexibleVersion)
        message.encode(to: &writer, version: version)
        return try writer.finish()
    }

    func decoded<Message: WireMessage>(
        _: Message.Type, _ bytes: some Collection<UInt8>, version: Int16
    ) throws(ProtocolError) -> Message {
        var reader = WireReader(ByteSlice(bytes), isFlexible: version >= firstFlexibleVersion)
        let message = Message(from: &reader, version: version)
        try reader.finish()
        return message
    }
}
