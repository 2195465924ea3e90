/// Sends one SASL token to the broker (KIP-152).
package struct SaslAuthenticateRequest: KafkaRequest {
    package typealias Response = SaslAuthenticateResponse
    package static let apiKey = APIKey.saslAuthenticate
    package static let versions: ClosedRange<Int16> = 0...2
    package static let firstFlexibleVersion: Int16 = 2

    /// The token, as the mechanism defines it. With PLAIN and OAUTHBEARER it contains the secret itself.
    package var authBytes: ByteSlice

    package init(authBytes: ByteSlice = ByteSlice([])) {
        self.authBytes = authBytes
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        authBytes = reader.byteField()
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.byteField(authBytes)
        writer.tags()
    }
}

/// The broker's token, or an authentication error.
package struct SaslAuthenticateResponse: WireMessage {
    package var errorCode: Int16
    package var errorMessage: String?
    package var authBytes: ByteSlice
    /// The time in milliseconds before the client must reauthenticate (KIP-368); 0 for no limit. Versions 1 and later.
    package var sessionLifetimeMs: Int64

    package init(
        errorCode: Int16 = 0, errorMessage: String? = "", authBytes: ByteSlice = ByteSlice([]),
        sessionLifetimeMs: Int64 = 0
    ) {
        self.errorCode = errorCode
        self.errorMessage = errorMessage
        self.authBytes = authBytes
        self.sessionLifetimeMs = sessionLifetimeMs
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        errorCode = reader.int16()
        errorMessage = reader.nullableString()
        authBytes = reader.byteField()
        if version >= 1 { sessionLifetimeMs = reader.int64() }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.int16(errorCode)
        writer.nullableString(errorMessage)
        writer.byteField(authBytes)
        if version >= 1 { writer.int64(sessionLifetimeMs) }
        writer.tags()
    }
}
