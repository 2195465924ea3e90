import KafkaWire
import Testing

/// The response of a broker that doesn't support the version of an ApiVersions request.
@Suite("ApiVersions' fallback to version 0")
struct ApiVersionsFallbackTests {
    /// Correlation id 1, error 35 (UNSUPPORTED_VERSION); the list of APIs in version 0 follows.
    private let head: [UInt8] = [0, 0, 0, 1, 0, 35]

    @Test("With the range of ApiVersions, from Kafka 2.4 on")
    func withRange() throws {
        let frame = ByteSlice(head + [0, 0, 0, 1, 0, 18, 0, 0, 0, 2])
        for version in Int16(0)...4 {
            let response = try ApiVersionsRequest.decodeNegotiation(frame, version: version)
            #expect(ErrorCode(rawValue: response.errorCode) == .unsupportedVersion)
            #expect(response.apis == [ApiVersionsResponse.API(apiKey: 18, minVersion: 0, maxVersion: 2)])
            #expect(response.throttleTimeMs == 0)
        }
    }

    @Test("Without any API, from older brokers")
    func withoutRange() throws {
        let response = try ApiVersionsRequest.decodeNegotiation(ByteSlice(head + [0, 0, 0, 0]), version: 4)
        #expect(response == ApiVersionsResponse(errorCode: 35))
    }

    @Test("A response without the error is decoded at the request's version")
    func noFallback() throws {
        let frame = ByteSlice([0, 0, 0, 1, 0, 0, 2, 0, 18, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0])
        let response = try ApiVersionsRequest.decodeNegotiation(frame, version: 4)
        #expect(response.apis == [ApiVersionsResponse.API(apiKey: 18, minVersion: 0, maxVersion: 4)])
    }

    @Test("Truncated responses are errors")
    func truncation() {
        let frame = head + [0, 0, 0, 1, 0, 18, 0, 0, 0, 2]
        for length in 0..<frame.count {
            #expect(throws: ProtocolError.self) {
                try ApiVersionsRequest.decodeNegotiation(ByteSlice(frame[..<length]), version: 4)
            }
        }
    }
}
