/// Requests the users with SCRAM credentials (KIP-554).
package struct DescribeUserScramCredentialsRequest: KafkaRequest {
    package typealias Response = DescribeUserScramCredentialsResponse
    package static let apiKey = APIKey.describeUserScramCredentials
    package static let versions: ClosedRange<Int16> = 0...0
    package static let firstFlexibleVersion: Int16 = 0

    /// Null for all users.
    package var users: [User]?

    package init(users: [User]? = []) {
        self.users = users
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        users = reader.nullableArray { User(from: &$0, version: version) }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.nullableArray(users) { $1.encode(to: &$0, version: version) }
        writer.tags()
    }
}

extension DescribeUserScramCredentialsRequest {
    /// A user.
    package struct User: WireMessage {
        package var name: String

        package init(name: String = "") {
            self.name = name
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            name = reader.string()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.string(name)
            writer.tags()
        }
    }
}

/// The users and their mechanisms, without secrets.
package struct DescribeUserScramCredentialsResponse: WireMessage {
    /// How long a quota throttled the request, in milliseconds.
    package var throttleTimeMs: Int32
    /// An error of the whole request.
    package var errorCode: Int16
    package var errorMessage: String?
    package var results: [Result]

    package init(throttleTimeMs: Int32 = 0, errorCode: Int16 = 0, errorMessage: String? = "", results: [Result] = []) {
        self.throttleTimeMs = throttleTimeMs
        self.errorCode = errorCode
        self.errorMessage = errorMessage
        self.results = results
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        throttleTimeMs = reader.int32()
        errorCode = reader.int16()
        errorMessage = reader.nullableString()
        results = reader.array { Result(from: &$0, version: version) }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.int32(throttleTimeMs)
        writer.int16(errorCode)
        writer.nullableString(errorMessage)
        writer.array(results) { $1.encode(to: &$0, version: version) }
        writer.tags()
    }
}

extension DescribeUserScramCredentialsResponse {
    /// A user. RESOURCE_NOT_FOUND if the user has no SCRAM credentials.
    package struct Result: WireMessage {
        package var user: String
        package var errorCode: Int16
        package var errorMessage: String?
        package var credentialInfos: [Credential]

        package init(
            user: String = "", errorCode: Int16 = 0, errorMessage: String? = "", credentialInfos: [Credential] = []
        ) {
            self.user = user
            self.errorCode = errorCode
            self.errorMessage = errorMessage
            self.credentialInfos = credentialInfos
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            user = reader.string()
            errorCode = reader.int16()
            errorMessage = reader.nullableString()
            credentialInfos = reader.array { Credential(from: &$0, version: version) }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.string(user)
            writer.int16(errorCode)
            writer.nullableString(errorMessage)
            writer.array(credentialInfos) { $1.encode(to: &$0, version: version) }
            writer.tags()
        }
    }
}

extension DescribeUserScramCredentialsResponse {
    /// A user's credential for one mechanism.
    package struct Credential: WireMessage {
        /// 1 for SCRAM-SHA-256, 2 for SCRAM-SHA-512.
        package var mechanism: Int8
        package var iterations: Int32

        package init(mechanism: Int8 = 0, iterations: Int32 = 0) {
            self.mechanism = mechanism
            self.iterations = iterations
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            mechanism = reader.int8()
            iterations = reader.int32()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int8(mechanism)
            writer.int32(iterations)
            writer.tags()
        }
    }
}
