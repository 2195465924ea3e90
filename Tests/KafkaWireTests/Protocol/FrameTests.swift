import KafkaWire
import Testing

/// Compares whole frames with handwritten bytes from the protocol guide.
@Suite("Frames")
struct FrameTests {
    @Test("A request with header version 1")
    func plainHeader() throws {
        let request = MetadataRequest(topics: [MetadataRequest.Topic(name: "T")], allowAutoTopicCreation: false)
        let frame = try request.frame(version: 4, correlationID: 0x0102_0304, clientID: "me")
        #expect(
            frame == [
                0, 0, 0, 20, 0, 3, 0, 4, 1, 2, 3, 4, 0, 2, 0x6d, 0x65,  // length, key, version, id, client
                0, 0, 0, 1, 0, 1, 0x54, 0,  // one topic, no creation
            ])
    }

    @Test("A request with header version 2, whose client id isn't compact")
    func flexibleHeader() throws {
        let request = MetadataRequest(topics: nil)
        let frame = try request.frame(version: 12, correlationID: 5, clientID: nil)
        #expect(frame == [0, 0, 0, 15, 0, 3, 0, 12, 0, 0, 0, 5, 0xff, 0xff, 0, 0, 1, 0, 0])
    }

    @Test("A request with a field that the version can't encode is an error")
    func refusal() {
        let request = MetadataRequest(topics: nil, allowAutoTopicCreation: false)
        let error = #expect(throws: ProtocolError.self) {
            try request.frame(version: 3, correlationID: 1, clientID: "me")
        }
        #expect(
            error?.reason == "Metadata version 3: allowAutoTopicCreation is set, but this version cannot encode it")
        #expect(throws: ProtocolError.self) {
            try MetadataRequest(topics: nil).frame(version: 0, correlationID: 1, clientID: "me")
        }
        #expect(throws: ProtocolError.self) {
            try MetadataRequest().frame(
                version: 4, correlationID: 1, clientID: String(repeating: "x", count: 40_000))
        }
    }

    @Test("Responses with and without a flexible header")
    func answers() throws {
        let body: [UInt8] = [0, 0, 0, 0, 1, 0, 0xff, 0xff, 0xff, 0xff, 1, 0]
        let flexible = try MetadataRequest.decodeResponse(ByteSlice([0, 0, 0, 9, 0] + body), version: 12)
        #expect(flexible == MetadataResponse())
        let plain = try FindCoordinatorRequest.decodeResponse(
            ByteSlice([0, 0, 0, 9, 0, 0, 0, 0, 0, 7, 0, 1, 0x68, 0, 0, 0x23, 0x84]), version: 0)
        #expect(plain.nodeId == 7)
        #expect(plain.host == "h")
        #expect(plain.port == 9092)
        for length in 0..<17 {
            let cut = ByteSlice(([0, 0, 0, 9, 0] + body)[..<length])
            #expect(throws: ProtocolError.self) { try MetadataRequest.decodeResponse(cut, version: 12) }
        }
    }

    @Test("ApiVersions responses have the old header in every version (KIP-511)")
    func apiVersions() throws {
        let frame: [UInt8] = [
            0, 0, 0, 1, 0, 0, 3, 0, 1, 0, 4, 0, 18, 0, 0, 18, 0, 0, 0, 4, 0, 0, 0, 0, 5, 0,
        ]
        let response = try ApiVersionsRequest.decodeResponse(ByteSlice(frame), version: 3)
        #expect(response.throttleTimeMs == 5)
        #expect(
            response.apis == [
                ApiVersionsResponse.API(apiKey: 1, minVersion: 4, maxVersion: 18),
                ApiVersionsResponse.API(apiKey: 18, minVersion: 0, maxVersion: 4),
            ])
    }
}
