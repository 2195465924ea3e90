/// Sets and deletes users' SCRAM credentials (KIP-554). The controller executes it.
package struct AlterUserScramCredentialsRequest: KafkaRequest {
    package typealias Response = AlterUserScramCredentialsResponse
    package static let apiKey = APIKey.alterUserScramCredentials
    package static let versions: ClosedRange<Int16> = 0...0
    package static let firstFlexibleVersion: Int16 = 0

    package var deletions: [Deletion]
    package var upsertions: [Upsertion]

    package init(deletions: [Deletion] = [], upsertions: [Upsertion] = []) {
        self.deletions = deletions
        self.upsertions = upsertions
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        deletions = reader.array { Deletion(from: &$0, version: version) }
        upsertions = reader.array { Upsertion(from: &$0, version: version) }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.array(deletions) { $1.encode(to: &$0, version: version) }
        writer.array(upsertions) { $1.encode(to: &$0, version: version) }
        writer.tags()
    }
}

extension AlterUserScramCredentialsRequest {
    /// A user and mechanism whose credential is to be deleted.
    package struct Deletion: WireMessage {
        package var name: String
        /// 1 for SCRAM-SHA-256, 2 for SCRAM-SHA-512.
        package var mechanism: Int8

        package init(name: String = "", mechanism: Int8 = 0) {
            self.name = name
            self.mechanism = mechanism
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            name = reader.string()
            mechanism = reader.int8()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.string(name)
            writer.int8(mechanism)
            writer.tags()
        }
    }
}

extension AlterUserScramCredentialsRequest {
    /// A user's credential for a mechanism.
    package struct Upsertion: WireMessage {
        package var name: String
        /// 1 for SCRAM-SHA-256, 2 for SCRAM-SHA-512.
        package var mechanism: Int8
        package var iterations: Int32
        package var salt: ByteSlice
        /// The password after `iterations` of PBKDF2 with the salt (RFC 5802, Hi). The password itself is never sent.
        package var saltedPassword: ByteSlice

        package init(
            name: String = "", mechanism: Int8 = 0, iterations: Int32 = 0, salt: ByteSlice = ByteSlice([]),
            saltedPassword: ByteSlice = ByteSlice([])
        ) {
            self.name = name
            self.mechanism = mechanism
            self.iterations = iterations
            self.salt = salt
            self.saltedPassword = saltedPassword
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            name = reader.string()
            mechanism = reader.int8()
            iterations = reader.int32()
            salt = reader.byteField()
            saltedPassword = reader.byteField()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.string(name)
            writer.int8(mechanism)
            writer.int32(iterations)
            writer.byteField(salt)
            writer.byteField(saltedPassword)
            writer.tags()
        }
    }
}

/// The result for each user.
package struct AlterUserScramCredentialsResponse: WireMessage {
    /// How long a quota throttled the request, in milliseconds.
    package var throttleTimeMs: Int32
    package var results: [Result]

    package init(throttleTimeMs: Int32 = 0, results: [Result] = []) {
        self.throttleTimeMs = throttleTimeMs
        self.results = results
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        throttleTimeMs = reader.int32()
        results = reader.array { Result(from: &$0, version: version) }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.int32(throttleTimeMs)
        writer.array(results) { $1.encode(to: &$0, version: version) }
        writer.tags()
    }
}

extension AlterUserScramCredentialsResponse {
    /// The result for one user.
    package struct Result: WireMessage {
        package var user: String
        package var errorCode: Int16
        package var errorMessage: String?

        package init(user: String = "", errorCode: Int16 = 0, errorMessage: String? = "") {
            self.user = user
            self.errorCode = errorCode
            self.errorMessage = errorMessage
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            user = reader.string()
            errorCode = reader.int16()
            errorMessage = reader.nullableString()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.string(user)
            writer.int16(errorCode)
            writer.nullableString(errorMessage)
            writer.tags()
        }
    }
}
