#include "COpenSSL.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>

#include "CLinux.h"

SSL_CTX *copenssl_client_context(void) {
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  if (!context) return NULL;
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
  // A certificate that was named as trusted is trusted, be it an intermediate or the server's own.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
  // Replies of Redis tell their length, so an end of the stream needs no signature.
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  // The output is a growing array: it moves, and what was not written is written again with more behind it.
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // One recv(2) for a whole record, and not one for its header.
  SSL_CTX_set_read_ahead(context, 1);
  return context;
}

long copenssl_add_chain_certificate(SSL_CTX *context, X509 *certificate) {
  return SSL_CTX_add1_chain_cert(context, certificate);
}

static int give_no_password(char *buffer, int size, int writing, void *data) {
  (void)buffer, (void)size, (void)writing, (void)data;
  return -1;
}

EVP_PKEY *copenssl_read_key(BIO *input) {
  return PEM_read_bio_PrivateKey(input, NULL, give_no_password, NULL);
}

long copenssl_set_server_name(SSL *session, const char *name) {
  return SSL_set_tlsext_host_name(session, name);
}

// MARK: The socket

// OpenSSL's own methods for sockets use write(2), which raises SIGPIPE. The data of a BIO is the socket's
// number, and its flags tell the end of the stream.

static int socket_of(BIO *bio) { return (int)(intptr_t)BIO_get_data(bio); }

static int read_bytes(BIO *bio, char *bytes, int count) {
  BIO_clear_retry_flags(bio);
  ssize_t received;
  do received = clinux_receive(socket_of(bio), bytes, (size_t)count);
  while (received < 0 && errno == EINTR);
  if (received < 0 && errno == EAGAIN) BIO_set_retry_read(bio);
  if (received == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return (int)received;
}

static int write_bytes(BIO *bio, const char *bytes, int count) {
  BIO_clear_retry_flags(bio);
  ssize_t sent;
  do sent = clinux_send(socket_of(bio), bytes, (size_t)count);
  while (sent < 0 && errno == EINTR);
  if (sent < 0 && errno == EAGAIN) BIO_set_retry_write(bio);
  return (int)sent;
}

static long control(BIO *bio, int command, long number, void *pointer) {
  (void)number, (void)pointer;
  switch (command) {
    case BIO_CTRL_FLUSH: return 1;
    case BIO_CTRL_EOF: return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
    default: return 0;
  }
}

static BIO_METHOD *method;

static void make_method(void) {
  method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
  if (!method) return;
  BIO_meth_set_read(method, read_bytes);
  BIO_meth_set_write(method, write_bytes);
  BIO_meth_set_ctrl(method, control);
}

int copenssl_set_socket(SSL *session, int socket) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, make_method);
  BIO *bio = method ? BIO_new(method) : NULL;
  if (!bio) return 0;
  BIO_set_data(bio, (void *)(intptr_t)socket);
  BIO_set_init(bio, 1);
  SSL_set_bio(session, bio, bio);
  return 1;
}
