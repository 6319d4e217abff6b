// OpenSSL, and functions for those of its macros that Swift cannot import.
#ifndef COPENSSL_H
#define COPENSSL_H

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/// A context for clients: TLS 1.2 and newer, the server's certificate checked, no renegotiation. NULL when
/// there is no memory left.
SSL_CTX *copenssl_client_context(void);

/// Adds a certificate that is sent behind the client's own, and counts a reference of its own
/// (SSL_CTX_add1_chain_cert(3)). Returns 1, or 0 when it failed.
long copenssl_add_chain_certificate(SSL_CTX *context, X509 *certificate);

/// Reads a private key in PEM. An encrypted key is refused; OpenSSL would ask for its password at the
/// terminal. NULL when there is no key to read.
EVP_PKEY *copenssl_read_key(BIO *input);

/// Names the host for the server, which may have a certificate for each of several names (SNI, RFC 6066
/// section 3). Returns 1, or 0 when it failed.
long copenssl_set_server_name(SSL *session, const char *name);

/// Has a session read from and write to a socket, without waiting and without SIGPIPE. The socket stays
/// the caller's, and has to be open for as long as the session is used. Returns 1, or 0 when it failed.
int copenssl_set_socket(SSL *session, int socket);

#endif
