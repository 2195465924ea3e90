#if TLS
    import COpenSSL
    import Foundation

    /// TLS over one socket, which it doesn't own: every call says at once what it could do.
    @safe final class TLSSession {
        /// `SSL`, which keeps what it needs of the context.
        private let session: OpaquePointer
        private let peer: TLSPeer

        /// Whether the handshake, or a read, that could do nothing waits until the socket takes bytes.
        private(set) var waitsForWriting = false
        /// Why a call came to `.tlsFailed`.
        private(set) var failure: KafkaError?

        /// - Throws: INVALID_CONFIG where a certificate or key can't be used.
        init(over descriptor: Int32, peer: TLSPeer) throws(KafkaError) {
            let context = try TLSContext(peer.configuration)
            guard let session = unsafe SSL_new(context.pointer) else {
                throw KafkaError(.unknownServerError, "OpenSSL has no memory")
            }
            unsafe self.session = session
            self.peer = peer
            unsafe SSL_set_fd(session, descriptor)
            unsafe SSL_set_connect_state(session)
            if peer.isAddress {
                // A name for the server to choose a certificate by is never an address (RFC 6066).
                if peer.configuration.verifiesHostName {
                    unsafe X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), peer.host)
                }
            } else {
                unsafe shim_SSL_set_tlsext_host_name(session, peer.host)
                if peer.configuration.verifiesHostName {
                    unsafe X509_VERIFY_PARAM_set1_host(SSL_get0_param(session), peer.host, 0)
                }
            }
        }

        deinit {
            if let certificate = unsafe shim_SSL_take_refused_certificate(session) { unsafe X509_free(certificate) }
            unsafe SSL_free(session)
        }

        /// Goes on with the handshake.
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
                // Brokers often close without saying so first. A frame has its length, so nothing is cut off unseen.
                if error.reason == SSL_R_UNEXPECTED_EOF_WHILE_READING { return .endOfStream }
                failure = unsafe peer.failure(error, session)
                return .tlsFailed
            }
        }
    }
#else
    /// There is no TLS in a build without OpenSSL: none of these is ever made, so that nothing asks for the rest.
    final class TLSSession {
        init(over _: Int32, peer: TLSPeer) throws(KafkaError) {
            throw KafkaError(
                .invalidConfig, "this build is without OpenSSL, and so without TLS: build with the trait TLS")
        }

        let waitsForWriting = false
        let failure: KafkaError? = nil

        func handshake() -> Socket.Progress { .tlsFailed }
        func read(into _: UnsafeMutableRawBufferPointer) -> Socket.Progress { .tlsFailed }
        func write(_: UnsafeRawBufferPointer) -> Socket.Progress { .tlsFailed }
    }
#endif
