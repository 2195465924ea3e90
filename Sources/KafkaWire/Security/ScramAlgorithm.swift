#if TLS
    import COpenSSL
    import Concurrency
    import Dispatch
#endif

/// The hash function of a SCRAM mechanism.
package enum ScramAlgorithm: Sendable {
    case sha256, sha512

    var mechanism: String {
        switch self {
        case .sha256: "SCRAM-SHA-256"
        case .sha512: "SCRAM-SHA-512"
        }
    }

    /// The client's proof, and the signature that the broker must send in return (RFC 5802, section 3).
    struct Keys: Sendable, Equatable {
        let clientProof: [UInt8]
        let serverSignature: [UInt8]
    }
}

#if TLS
    extension ScramAlgorithm {
        /// - Parameter message: `AuthMessage`: all messages before the proof, separated by commas.
        func keys(
            password: Secret, salt: [UInt8], iterations: Int, message: String
        ) async throws(KafkaError) -> Keys {
            try await compute { computeKeys(password, salt, iterations, message) }
        }

        /// The salted password (RFC 5802, Hi), from which a broker derives the keys that it stores. It doesn't reveal the
        /// password.
        func saltedPassword(_ password: Secret, salt: [UInt8], iterations: Int) async throws(KafkaError) -> [UInt8] {
            try await compute { derive(Array(password.value.utf8), salt, iterations) }
        }

        private func compute<Result: Sendable>(
            _ work: @escaping @Sendable () -> Result?
        ) async throws(KafkaError) -> Result {
            // A million iterations take half a second, too long for a thread of the cooperative pool.
            guard let result = await DispatchQueue.global().value(of: work) else {
                throw KafkaError(.unknownServerError, "OpenSSL can't compute \(mechanism)")
            }
            return result
        }

        private func computeKeys(_ password: Secret, _ salt: [UInt8], _ iterations: Int, _ message: String) -> Keys? {
            guard let salted = derive(Array(password.value.utf8), salt, iterations),
                let clientKey = authenticate(salted, "Client Key"), let storedKey = hash(clientKey),
                let clientSignature = authenticate(storedKey, message),
                let serverKey = authenticate(salted, "Server Key"),
                let serverSignature = authenticate(serverKey, message)
            else { return nil }
            return Keys(clientProof: zip(clientKey, clientSignature).map { $0 ^ $1 }, serverSignature: serverSignature)
        }

        private var digest: OpaquePointer? {
            switch self {
            case .sha256: unsafe EVP_sha256()
            case .sha512: unsafe EVP_sha512()
            }
        }

        private var size: Int {
            switch self {
            case .sha256: 32
            case .sha512: 64
            }
        }

        /// PBKDF2 with HMAC, called Hi() in RFC 5802.
        private func derive(_ password: [UInt8], _ salt: [UInt8], _ iterations: Int) -> [UInt8]? {
            var key = [UInt8](repeating: 0, count: size)
            let done = unsafe password.withUnsafeBytes { bytes in
                unsafe PKCS5_PBKDF2_HMAC(
                    bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(password.count), salt,
                    Int32(salt.count), Int32(iterations), digest, Int32(size), &key)
            }
            return done == 1 ? key : nil
        }

        private func authenticate(_ key: [UInt8], _ text: String) -> [UInt8]? {
            var code = [UInt8](repeating: 0, count: size)
            let text = Array(text.utf8)
            let done = unsafe HMAC(digest, key, Int32(key.count), text, text.count, &code, nil)
            return unsafe done == nil ? nil : code
        }

        private func hash(_ bytes: [UInt8]) -> [UInt8]? {
            var code = [UInt8](repeating: 0, count: size)
            return unsafe EVP_Digest(bytes, bytes.count, &code, nil, digest, nil) == 1 ? code : nil
        }
    }
#else
    extension ScramAlgorithm {
        func keys(
            password _: Secret, salt _: [UInt8], iterations _: Int, message _: String
        ) async throws(KafkaError) -> Keys {
            throw isMissing
        }

        func saltedPassword(
            _: Secret, salt _: [UInt8], iterations _: Int
        ) async throws(KafkaError) -> [UInt8] {
            throw isMissing
        }

        private var isMissing: KafkaError {
            KafkaError(
                .invalidConfig,
                "this build does not include OpenSSL, which \(mechanism) needs: build with the trait TLS")
        }
    }
#endif
