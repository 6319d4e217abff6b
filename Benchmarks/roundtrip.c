/*
 * One connection, one request at a time: how long a lone request takes.
 *
 *   roundtrip http|redis HOST PORT SECONDS
 *
 * Sends visits, or INCR commands, each when the last one was answered, and prints one line of JSON:
 * how many there were, and the percentiles of their round trips in microseconds. The first tenth of
 * the time warms up and is not counted.
 */
#define _GNU_SOURCE
#include "client.h"

static const char increment[] = "*2\r\n$4\r\nINCR\r\n$4\r\nhits\r\n";

enum { most_latencies = 1 << 22 };

/* Sends one request and reads its whole answer; returns the nanoseconds that took. */
static uint64_t round_trip(int server, int speaks_http) {
  const char *request = speaks_http ? visit : increment;
  const size_t length = strlen(request);
  static char answer[4096];
  size_t received = 0;
  const uint64_t began = now();
  if (write(server, request, length) != (ssize_t)length) give_up("write");
  for (;;) {
    const ssize_t count = read(server, answer + received, sizeof answer - 1 - received);
    if (count <= 0) give_up("read");
    received += (size_t)count;
    answer[received] = '\0';
    if (speaks_http ? http_answer_length(answer, received) != 0 : answer[received - 1] == '\n') break;
  }
  const uint64_t took = now() - began;
  if (speaks_http ? !is_success(answer) : answer[0] != ':') {
    fprintf(stderr, "not counted: %s\n", answer);
    exit(1);
  }
  return took;
}

int main(int count, char **arguments) {
  const int speaks_http = count == 5 && strcmp(arguments[1], "http") == 0;
  if (count != 5 || !(speaks_http || strcmp(arguments[1], "redis") == 0)) {
    fprintf(stderr, "usage: roundtrip http|redis HOST PORT SECONDS\n");
    return 64;
  }
  const int server = connect_to(arguments[2], number(arguments[3], 1));
  const uint64_t length = number(arguments[4], 1) * 1000000000u;

  uint64_t *latencies = malloc(most_latencies * sizeof *latencies);
  if (latencies == NULL) give_up("malloc");
  const uint64_t start = now();
  while (now() < start + length / 10) round_trip(server, speaks_http);
  size_t measured = 0;
  while (measured < most_latencies && (measured == 0 || now() < start + length)) {
    latencies[measured++] = round_trip(server, speaks_http);
  }

  printf("{\"requests\": %zu", measured);
  print_percentiles(latencies, measured);
  printf("}\n");
  return 0;
}
