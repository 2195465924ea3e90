#if TLS
    import COpenSSL
    import Foundation

    /// OpenSSL's settings for one connection: the trusted certificates, and the client's own certificate.
    ///
    /// Each connection has its own context, so that certificates that were renewed on disk take effect. The initializer
    /// reads files, so call it on a thread that may block.
    @safe final class TLSContext: @unchecked Sendable {
        // @unchecked: nothing changes the SSL_CTX after the initializer, and OpenSSL counts its references atomically.

        /// `SSL_CTX`; valid as long as this object.
        let pointer: OpaquePointer

        /// - Throws: INVALID_CONFIG with the setting, if a file can't be read or has invalid content.
        init(_ configuration: TLSConfiguration) throws(KafkaError) {
            ERR_clear_error()
            guard let pointer = unsafe SSL_CTX_new(TLS_client_method()) else {
                throw KafkaError(.unknownServerError, "OpenSSL can't be initialized: \(OpenSSLError.take().text)")
            }
            unsafe self.pointer = pointer
            let versions: [TLSConfiguration.Version: Int32] = [.tls12: TLS1_2_VERSION, .tls13: TLS1_3_VERSION]
            let areVersionsSet = unsafe shim_SSL_CTX_set_proto_versions(
                pointer, versions[configuration.versions.lowerBound] ?? TLS1_2_VERSION,
                versions[configuration.versions.upperBound] ?? TLS1_3_VERSION)
            guard areVersionsSet == 1 else {
                throw KafkaError(
                    .invalidConfig,
                    "this version of OpenSSL does not support ssl.enabled.protocols: \(OpenSSLError.take().text)")
            }
            // The rest of a partly written frame is passed again, possibly at another address.
            unsafe shim_SSL_CTX_set_mode(
                pointer, Int(SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER))
            // Without renegotiation, a write never has to wait for a read.
            unsafe shim_SSL_CTX_set_no_renegotiation(pointer)
            // Reads several TLS records with one system call, instead of two calls for each.
            unsafe shim_SSL_CTX_set_read_ahead(pointer, 1)
            unsafe SSL_CTX_set_default_read_buffer_len(pointer, 64 << 10)
            unsafe shim_SSL_CTX_set_verify(pointer)
            if let trusted = configuration.trustedCertificates {
                try trust(trusted)
            } else {
                guard unsafe SSL_CTX_set_default_verify_paths(pointer) == 1 else {
                    throw KafkaError(
                        .invalidConfig,
                        "the system's trusted certificates can't be read; set ssl.truststore.location: "
                            + OpenSSLError.take().text)
                }
            }
            if let certificate = configuration.clientCertificate { try show(certificate) }
        }

        deinit {
            unsafe SSL_CTX_free(pointer)
        }

        private func trust(_ source: TLSConfiguration.PEM) throws(KafkaError) {
            let (text, place) = try Self.read(source, "ssl.truststore.location", "ssl.truststore.certificates")
            let store = unsafe SSL_CTX_get_cert_store(pointer)
            let count = try unsafe Self.forEachCertificate(text, place) { certificate in
                unsafe X509_STORE_add_cert(store, certificate) == 1
            }
            guard count > 0 else { throw KafkaError(.invalidConfig, "\(place) contains no certificate in PEM format") }
        }

        private func show(_ identity: TLSConfiguration.ClientCertificate) throws(KafkaError) {
            let (chain, chainPlace) = try Self.read(
                identity.chain, "ssl.keystore.location", "ssl.keystore.certificate.chain")
            var isFirst = true
            let count = try unsafe Self.forEachCertificate(chain, chainPlace) { certificate in
                defer { isFirst = false }
                return unsafe isFirst
                    ? SSL_CTX_use_certificate(pointer, certificate) == 1
                    : shim_SSL_CTX_add1_chain_cert(pointer, certificate) == 1
            }
            guard count > 0 else {
                throw KafkaError(.invalidConfig, "\(chainPlace) contains no certificate in PEM format")
            }

            let (text, place) = try Self.read(identity.key, "ssl.keystore.location", "ssl.keystore.key")
            let key: OpaquePointer? = try unsafe Self.withMemory(text) { memory in
                unsafe Self.withPassword(identity.password?.value ?? "") {
                    unsafe PEM_read_bio_PrivateKey(memory, nil, nil, $0)
                }
            }
            guard let key = unsafe key else {
                let error = OpenSSLError.take()
                throw KafkaError(
                    .invalidConfig,
                    text.contains("PRIVATE KEY-----")
                        ? "the private key in \(place) can't be read; check ssl.key.password (\(error.text))"
                        : "\(place) contains no private key in PEM format")
            }
            defer { unsafe EVP_PKEY_free(key) }
            guard unsafe SSL_CTX_use_PrivateKey(pointer, key) == 1, unsafe SSL_CTX_check_private_key(pointer) == 1
            else {
                ERR_clear_error()
                throw KafkaError(
                    .invalidConfig,
                    "the private key in \(place) doesn't match the client's certificate, which must be the first in "
                        + chainPlace)
            }
        }

        /// - Returns: The text, and its origin for errors.
        private static func read(
            _ source: TLSConfiguration.PEM, _ fileSetting: String, _ textSetting: String
        ) throws(KafkaError) -> (text: String, place: String) {
            switch source {
            case .text(let text):
                return (PEMText.normalized(text.value), textSetting)
            case .file(let path):
                let place = "the file \(Secret.shownPath(path)) (\(fileSetting))"
                do {
                    return (PEMText.normalized(try String(contentsOfFile: path, encoding: .utf8)), place)
                } catch let error as CocoaError where error.code == .fileReadNoSuchFile {
                    throw KafkaError(.invalidConfig, "\(place) doesn't exist")
                } catch let error as CocoaError where error.code == .fileReadInapplicableStringEncoding {
                    throw KafkaError(
                        .invalidConfig, "\(place) is not in PEM format; convert a Java key store or trust store to PEM")
                } catch {
                    // Foundation's description would repeat the path.
                    let reason = (error as? CocoaError)?.underlying?.localizedDescription ?? "it cannot be opened"
                    throw KafkaError(.invalidConfig, "\(place) can't be read: \(reason)")
                }
            }
        }

        private static func forEachCertificate(
            _ text: String, _ place: String, _ body: (OpaquePointer) -> Bool
        ) throws(KafkaError) -> Int {
            var count = 0
            try unsafe withMemory(text) { (memory) throws(KafkaError) in
                while let certificate = unsafe withPassword("", { unsafe PEM_read_bio_X509(memory, nil, nil, $0) }) {
                    defer { unsafe X509_free(certificate) }
                    guard unsafe body(certificate) else {
                        throw KafkaError(
                            .invalidConfig,
                            "certificate \(count + 1) of \(place) can't be used: \(OpenSSLError.take().text)")
                    }
                    count += 1
                }
                // OpenSSL also reports the end of the text as an error.
                let error = OpenSSLError.take()
                guard error.reason == PEM_R_NO_START_LINE else {
                    throw KafkaError(
                        .invalidConfig, "certificate \(count + 1) of \(place) can't be read: \(error.text)")
                }
            }
            return count
        }

        /// Calls `body` with a password in the form that OpenSSL's `PEM_read_bio_…` functions accept instead of a callback.
        ///
        /// Without a password they would prompt for it on the terminal, for certificates too.
        private static func withPassword(
            _ password: String, _ body: (UnsafeMutableRawPointer) -> OpaquePointer?
        ) -> OpaquePointer? {
            unsafe password.withCString { unsafe body(UnsafeMutableRawPointer(mutating: $0)) }
        }

        /// Calls `body` with a memory `BIO` that contains a copy of the text.
        ///
        /// The `BIO` is read after the call that fills it, so it needs a copy. OpenSSL clears the copy when it frees it.
        private static func withMemory<Result>(
            _ text: String, _ body: (OpaquePointer) throws(KafkaError) -> Result
        ) throws(KafkaError) -> Result {
            var text = text
            guard let memory = unsafe BIO_new(BIO_s_mem()) else { throw outOfMemory }
            defer { unsafe BIO_free(memory) }
            let isCopied = text.withUTF8 { bytes in
                var count = 0
                return unsafe bytes.isEmpty
                    || BIO_write_ex(memory, bytes.baseAddress, bytes.count, &count) == 1 && count == bytes.count
            }
            guard isCopied else { throw outOfMemory }
            return try unsafe body(memory)
        }

        private static var outOfMemory: KafkaError { KafkaError(.unknownServerError, "OpenSSL can't allocate memory") }
    }

    /// The first error in OpenSSL's error queue of the current thread.
    struct OpenSSLError {
        let code: UInt

        /// Returns the first error, and clears the queue.
        static func take() -> OpenSSLError {
            let code = ERR_get_error()
            ERR_clear_error()
            return OpenSSLError(code: code)
        }

        /// `SSL_R_…` or `PEM_R_…`
        var reason: Int32 { shim_ERR_GET_REASON(code) }

        var text: String {
            guard let text = unsafe ERR_reason_error_string(code) else { return "error \(code)" }
            return unsafe String(cString: text)
        }
    }
#endif
