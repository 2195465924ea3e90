/// Selects the SASL mechanism of the connection.
package struct SaslHandshakeRequest: KafkaRequest {
    package typealias Response = SaslHandshakeResponse
    package static let apiKey = APIKey.saslHandshake
    /// After version 0, tokens are sent without headers. After version 1, they are sent in SaslAuthenticate requests
    /// (KIP-152).
    package static let versions: ClosedRange<Int16> = 0...1
    /// No version is flexible: clients before 2.4 couldn't negotiate it (KAFKA-9577).
    package static let firstFlexibleVersion = Int16.max

    package var mechanism: String

    package init(mechanism: String = "") {
        self.mechanism = mechanism
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        mechanism = reader.string()
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.string(mechanism)
        writer.tags()
    }
}

/// Whether the broker accepts the mechanism.
package struct SaslHandshakeResponse: WireMessage {
    package var errorCode: Int16
    /// The mechanisms that the listener supports.
    package var mechanisms: [String]

    package init(errorCode: Int16 = 0, mechanisms: [String] = []) {
        self.errorCode = errorCode
        self.mechanisms = mechanisms
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        errorCode = reader.int16()
        mechanisms = reader.array { $0.string() }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.int16(errorCode)
        writer.array(mechanisms) { $0.string($1) }
        writer.tags()
    }
}
