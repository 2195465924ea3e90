#ifndef COPENSSL_SHIM_H
#define COPENSSL_SHIM_H

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

// Functions for OpenSSL's macros, which Swift can't import. They have the macros' names with the prefix `shim_`.

static inline int shim_SSL_CTX_set_proto_versions(SSL_CTX *context, int minimum, int maximum) {
    return SSL_CTX_set_min_proto_version(context, minimum) && SSL_CTX_set_max_proto_version(context, maximum);
}

static inline void shim_SSL_CTX_set_mode(SSL_CTX *context, long mode) {
    SSL_CTX_set_mode(context, mode);
}

// SSL_OP_NO_RENEGOTIATION
static inline void shim_SSL_CTX_set_no_renegotiation(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
}

static inline void shim_SSL_CTX_set_read_ahead(SSL_CTX *context, int on) {
    SSL_CTX_set_read_ahead(context, on);
}

static inline int shim_SSL_CTX_add1_chain_cert(SSL_CTX *context, X509 *certificate) {
    return (int)SSL_CTX_add1_chain_cert(context, certificate);
}

static inline int shim_SSL_set_tlsext_host_name(SSL *session, const char *name) {
    return (int)SSL_set_tlsext_host_name(session, name);
}

static inline int shim_ERR_GET_REASON(unsigned long code) {
    return ERR_GET_REASON(code);
}

static inline int shim_sk_GENERAL_NAME_num(const GENERAL_NAMES *names) {
    return sk_GENERAL_NAME_num(names);
}

static inline const GENERAL_NAME *shim_sk_GENERAL_NAME_value(const GENERAL_NAMES *names, int index) {
    return sk_GENERAL_NAME_value(names, index);
}

static inline int shim_X509_NAME_print_oneline(BIO *out, const X509_NAME *name) {
    return X509_NAME_print_ex(out, name, 0, XN_FLAG_ONELINE);
}

// The text of a DNS name in a certificate, NULL if the name is of another kind.
static inline const ASN1_STRING *shim_GENERAL_NAME_dns(const GENERAL_NAME *name) {
    return name->type == GEN_DNS ? name->d.dNSName : NULL;
}

// The four or sixteen bytes of an address in a certificate, NULL if the name is of another kind.
static inline const ASN1_STRING *shim_GENERAL_NAME_address(const GENERAL_NAME *name) {
    return name->type == GEN_IPADD ? name->d.iPAddress : NULL;
}

// Has the session keep the certificate that its verification fails at: OpenSSL itself forgets it.
static inline int shim_keep_refused_certificate(int is_good, X509_STORE_CTX *context) {
    if (!is_good) {
        SSL *session = X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx());
        X509 *certificate = X509_STORE_CTX_get_current_cert(context);
        if (session && certificate && !SSL_get_app_data(session) && X509_up_ref(certificate))
            SSL_set_app_data(session, certificate);
    }
    return is_good;
}

static inline void shim_SSL_CTX_set_verify(SSL_CTX *context) {
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, shim_keep_refused_certificate);
}

// The certificate that was kept, or NULL; the caller frees it.
static inline X509 *shim_SSL_take_refused_certificate(SSL *session) {
    X509 *certificate = SSL_get_app_data(session);
    SSL_set_app_data(session, NULL);
    return certificate;
}

#endif
