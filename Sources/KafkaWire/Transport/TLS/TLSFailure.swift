#if TLS
    import COpenSSL
    import Foundation

    extension TLSPeer {
        /// The error for a failed TLS operation, with an explanation.
        ///
        /// It is not retriable, since none of these causes is temporary.
        func failure(_ error: OpenSSLError, _ session: OpaquePointer) -> KafkaError {
            KafkaError(.networkException, "\(broker) \(unsafe reason(error, session))", isRetriable: false)
        }

        private func reason(_ error: OpenSSLError, _ session: OpaquePointer) -> String {
            if error.reason == SSL_R_CERTIFICATE_VERIFY_FAILED {
                return unsafe verification(SSL_get_verify_result(session), session)
            }
            // Reasons from 1000 on are the broker's alerts (RFC 8446, section 6).
            switch error.reason - 1000 {
            case 40, 42, 43, 46, 48, 49, 116:
                if configuration.clientCertificate == nil {
                    return "requires a client certificate: set ssl.keystore.location "
                        + "(or ssl.keystore.certificate.chain and ssl.keystore.key) (\(error.text))"
                }
                return
                    "doesn't accept the client certificate: the broker must trust its CA (\(error.text))"
            case 44, 45:
                return "doesn't accept the client certificate, which is expired or revoked (\(error.text))"
            case 70: return "supports none of the TLS versions of ssl.enabled.protocols"
            case 112: return "has no certificate for the name \(host) (\(error.text))"
            default: break
            }
            switch error.reason {
            case SSL_R_WRONG_VERSION_NUMBER, SSL_R_UNKNOWN_PROTOCOL, SSL_R_HTTP_REQUEST,
                SSL_R_BAD_PROTOCOL_VERSION_NUMBER,
                SSL_R_PACKET_LENGTH_TOO_LONG:
                return "doesn't use TLS: check the port and security.protocol (\(error.text))"
            case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_NO_PROTOCOLS_AVAILABLE, SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
                return "supports none of the TLS versions of ssl.enabled.protocols"
            default: return "failed in the TLS handshake: \(error.text)"
            }
        }

        /// The reason why the broker's certificate was refused.
        private func verification(_ code: Int, _ session: OpaquePointer) -> String {
            guard let certificate = unsafe shim_SSL_take_refused_certificate(session) else {
                return "sent no certificate that can be verified: \(Self.text(code))"
            }
            defer { unsafe X509_free(certificate) }
            let issuer = unsafe Self.line(X509_get_issuer_name(certificate))
            switch Int32(code) {
            case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH:
                let names = unsafe Self.names(certificate)
                return
                    "has a certificate for \(names.isEmpty ? "no name" : names.joined(separator: ", ")), not for \(host): "
                    + "connect by one of its names"
            case X509_V_ERR_CERT_HAS_EXPIRED:
                return "has a certificate that expired on \(unsafe Self.date(X509_get0_notAfter(certificate)))"
            case X509_V_ERR_CERT_NOT_YET_VALID:
                return "has a certificate that isn't valid before \(unsafe Self.date(X509_get0_notBefore(certificate)))"
            case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
                X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
                X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
                return
                    "has a certificate of an authority that isn't trusted (\(issuer)): set ssl.truststore.location to the "
                    + "certificate of its CA"
            default:
                return "has a certificate that isn't accepted: \(Self.text(code))"
            }
        }

        private static func text(_ code: Int) -> String {
            unsafe String(cString: X509_verify_cert_error_string(code))
        }

        /// A certificate's subject or issuer, such as `CN=Plant CA, O=Plant`.
        private static func line(_ name: OpaquePointer?) -> String {
            unsafe text { memory in unsafe shim_X509_NAME_print_oneline(memory, name) }
        }

        private static func date(_ time: UnsafePointer<ASN1_TIME>?) -> String {
            unsafe text { memory in unsafe ASN1_TIME_print(memory, time) }
        }

        /// The output of an OpenSSL function that prints to a `BIO`.
        private static func text(_ print: (OpaquePointer) -> Int32) -> String {
            guard let memory = unsafe BIO_new(BIO_s_mem()) else { return "" }
            defer { unsafe BIO_free(memory) }
            _ = unsafe print(memory)
            var bytes = [UInt8](repeating: 0, count: 512)
            let count = unsafe BIO_read(memory, &bytes, Int32(bytes.count))
            return String(decoding: bytes.prefix(Int(max(count, 0))), as: UTF8.self)
        }

        /// The host names and IP addresses that a certificate is for.
        private static func names(_ certificate: OpaquePointer) -> [String] {
            guard let list = unsafe X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil) else { return [] }
            let names = OpaquePointer(list)
            defer { unsafe GENERAL_NAMES_free(names) }
            return unsafe (0..<shim_sk_GENERAL_NAME_num(names)).compactMap { index in
                let name = unsafe shim_sk_GENERAL_NAME_value(names, index)
                if let text = unsafe shim_GENERAL_NAME_dns(name) {
                    return unsafe String(decoding: bytes(text), as: UTF8.self)
                }
                return unsafe shim_GENERAL_NAME_address(name).flatMap { unsafe Self.address(bytes($0)) }
            }
        }

        private static func bytes(_ string: UnsafePointer<ASN1_STRING>) -> UnsafeBufferPointer<UInt8> {
            unsafe UnsafeBufferPointer(start: ASN1_STRING_get0_data(string), count: Int(ASN1_STRING_length(string)))
        }

        private static func address(_ bytes: UnsafeBufferPointer<UInt8>) -> String? {
            guard bytes.count == 4 || bytes.count == 16 else { return nil }
            let family = bytes.count == 4 ? AF_INET : AF_INET6
            return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { text in
                unsafe inet_ntop(family, bytes.baseAddress, text.baseAddress, socklen_t(text.count))
                    .map { unsafe String(cString: $0) }
            }
        }
    }
#endif
