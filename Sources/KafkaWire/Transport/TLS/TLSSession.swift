#if TLS
    import COpenSSL
    import Foundation

    /// TLS over one non-blocking socket, which it doesn't own.
    @safe final class TLSSession {
        /// `SSL`, which retains its context.
        private let session: OpaquePointer
        private let peer: TLSPeer

        /// Whether the handshake, or the last read, can continue only when the socket is writable.
        private(set) var waitsForWriting = false
        /// The reason why a call returned `.tlsFailed`.
        private(set) var failure: KafkaError?

        /// - Throws: An error if the host's name can't be verified.
        init(over descriptor: Int32, _ context: TLSContext, peer: TLSPeer) throws(KafkaError) {
            guard let session = unsafe SSL_new(context.pointer) else {
                throw KafkaError(.unknownServerError, "OpenSSL can't allocate memory")
            }
            unsafe self.session = session
            self.peer = peer
            guard unsafe SSL_set_fd(session, descriptor) == 1 else {
                throw KafkaError(.unknownServerError, "OpenSSL can't use the socket: \(OpenSSLError.take().text)")
            }
            unsafe SSL_set_connect_state(session)
            try setExpectedName()
        }

        /// Sets the host name for the server name indication (SNI) and for the verification of the certificate.
        ///
        /// - Throws: An error if OpenSSL refuses the name: without a name, it would accept any certificate of a trusted CA.
        private func setExpectedName() throws(KafkaError) {
            let host = peer.host
            // For an empty name OpenSSL verifies nothing; for a name that begins with a dot it accepts any subdomain; and it
            // ignores everything after a NUL.
            guard !host.isEmpty, !host.utf8.starts(with: ".".utf8), !host.utf8.contains(0) else {
                throw KafkaError(.networkException, "a broker's host name is not valid: '\(host)'", isRetriable: false)
            }
            // SNI is never an address (RFC 6066).
            let isAddress = peer.isAddress
            var isSet = unsafe isAddress || shim_SSL_set_tlsext_host_name(session, host) == 1
            if isSet, peer.configuration.verifiesHostName {
                let parameters = unsafe SSL_get0_param(session)
                let status =
                    unsafe isAddress
                    ? X509_VERIFY_PARAM_set1_ip_asc(parameters, host)
                    : X509_VERIFY_PARAM_set1_host(parameters, host, 0)
                isSet = status == 1
            }
            guard isSet else {
                throw KafkaError(
                    .networkException,
                    "OpenSSL can't verify the host name of \(peer.broker): \(OpenSSLError.take().text)",
                    isRetriable: false)
            }
        }

        deinit {
            if let certificate = unsafe shim_SSL_take_refused_certificate(session) { unsafe X509_free(certificate) }
            unsafe SSL_free(session)
        }

        /// Continues the handshake.
        ///
        /// - Returns: `.bytes(0)` when it is done.
        func handshake() -> Socket.Progress {
            waitsForWriting = false
            let status = unsafe SSL_do_handshake(session)
            return status == 1 ? .bytes(0) : explain(status, isWriting: false)
        }

        func read(into buffer: UnsafeMutableRawBufferPointer) -> Socket.Progress {
            guard unsafe !buffer.isEmpty else { return .bytes(0) }
            waitsForWriting = false
            var count = 0
            let status = unsafe SSL_read_ex(session, buffer.baseAddress, buffer.count, &count)
            return status == 1 ? .bytes(count) : explain(status, isWriting: false)
        }

        func write(_ buffer: UnsafeRawBufferPointer) -> Socket.Progress {
            guard unsafe !buffer.isEmpty else { return .bytes(0) }
            var count = 0
            let status = unsafe SSL_write_ex(session, buffer.baseAddress, buffer.count, &count)
            return status == 1 ? .bytes(count) : explain(status, isWriting: true)
        }

        private func explain(_ status: Int32, isWriting: Bool) -> Socket.Progress {
            let code = errno
            switch unsafe SSL_get_error(session, status) {
            case SSL_ERROR_WANT_READ:
                return .wouldBlock
            case SSL_ERROR_WANT_WRITE:
                waitsForWriting = !isWriting
                return .wouldBlock
            case SSL_ERROR_ZERO_RETURN:
                return .endOfStream
            case SSL_ERROR_SYSCALL:
                ERR_clear_error()
                return code == 0 ? .endOfStream : .failed(code)
            default:
                let error = OpenSSLError.take()
                // Brokers often close the connection without a closure alert. Each frame has a length, so a truncated frame
                // is detected nevertheless.
                if error.reason == SSL_R_UNEXPECTED_EOF_WHILE_READING { return .endOfStream }
                failure = unsafe peer.failure(error, session)
                return .tlsFailed
            }
        }
    }
#else
    /// A placeholder in builds without OpenSSL: its initializer always throws, so its methods are never called.
    final class TLSSession {
        init(over _: Int32, _: TLSContext, peer: TLSPeer) throws(KafkaError) {
            throw TLSContext.isMissing
        }

        let waitsForWriting = false
        let failure: KafkaError? = nil

        func handshake() -> Socket.Progress { .tlsFailed }
        func read(into _: UnsafeMutableRawBufferPointer) -> Socket.Progress { .tlsFailed }
        func write(_: UnsafeRawBufferPointer) -> Socket.Progress { .tlsFailed }
    }

    struct TLSContext {
        static let isMissing = KafkaError(
            .invalidConfig, "this build does not include OpenSSL, which TLS needs: build with the trait TLS")

        init(_: TLSConfiguration) throws(KafkaError) {
            throw Self.isMissing
        }
    }
#endif
