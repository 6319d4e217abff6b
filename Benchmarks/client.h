/*
 * What the two load generators share: the clock, a connection to a loopback server, where an HTTP
 * answer ends, and percentiles.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define VISIT_OF(path) \
  "GET " path " HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: benchmark\r\nAccept: */*\r\n\r\n"

/* The plain visit that the load generators send, with three header fields; of `/`, if not told otherwise. */
static char visit[512] = VISIT_OF("/");

/* Makes the visit one of another path. */
static inline void visit_path(const char *path) {
  if (snprintf(visit, sizeof visit, VISIT_OF("%s"), path) >= (int)sizeof visit) {
    fprintf(stderr, "the path is too long: %s\n", path);
    exit(64);
  }
}

/* Ends the program with a reason. */
__attribute__((noreturn)) static inline void give_up(const char *what) {
  perror(what);
  exit(1);
}

/* A number of the command line, or the end of the program when it is none or too small. */
static inline uint64_t number(const char *text, uint64_t least) {
  char *end;
  const unsigned long long value = strtoull(text, &end, 10);
  if (*text == '\0' || *text == '-' || *end != '\0' || value < least) {
    fprintf(stderr, "not a number of at least %llu: %s\n", (unsigned long long)least, text);
    exit(64);
  }
  return value;
}

/* Nanoseconds of the monotonic clock. */
static inline uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* A blocking connection without Nagle's delay. */
static inline int connect_to(const char *host, uint64_t port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  if (inet_pton(AF_INET, host, &address.sin_addr) != 1) {
    fprintf(stderr, "not an IPv4 address: %s\n", host);
    exit(64);
  }
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) give_up("socket");
  if (connect(descriptor, (struct sockaddr *)&address, sizeof address) < 0) give_up("connect");
  const int on = 1;
  if (setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0) give_up("TCP_NODELAY");
  return descriptor;
}

/*
 * The length of the whole HTTP answer that begins at bytes, or 0 while some of it is missing. It
 * must carry Content-Length, as every server that is measured here does. The bytes end with a 0.
 */
static inline size_t http_answer_length(const char *bytes, size_t count) {
  const char *end = strstr(bytes, "\r\n\r\n");
  if (end == NULL) return 0;
  const char *field = strcasestr(bytes, "\r\nContent-Length:");
  if (field == NULL || field > end) {
    fprintf(stderr, "an answer without Content-Length\n");
    exit(1);
  }
  const size_t length = (size_t)(end - bytes) + 4 + strtoul(field + 17, NULL, 10);
  return count >= length ? length : 0;
}

/* Whether the answer that begins at bytes has status 200. */
static inline int is_success(const char *bytes) {
  return strncmp(bytes, "HTTP/1.", 7) == 0 && strncmp(bytes + 8, " 200 ", 5) == 0;
}

static inline int ascending(const void *left, const void *right) {
  const uint64_t one = *(const uint64_t *)left, other = *(const uint64_t *)right;
  return (one > other) - (one < other);
}

/* Prints the percentiles of the latencies as JSON members, in microseconds. Sorts them. */
static inline void print_percentiles(uint64_t *latencies, size_t count) {
  static const struct {
    const char *name;
    double share;
  } wanted[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}, {"max", 1}};
  qsort(latencies, count, sizeof *latencies, ascending);
  for (size_t each = 0; each < sizeof wanted / sizeof *wanted; each++) {
    size_t rank = (size_t)(wanted[each].share * (double)count);
    if (rank >= count) rank = count - 1;
    printf(", \"%s\": %.3f", wanted[each].name, (double)latencies[rank] / 1000);
  }
}

#endif
