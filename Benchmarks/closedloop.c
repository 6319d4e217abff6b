/*
 * Visitors who ask again as soon as they are answered: a closed loop.
 *
 *   closedloop HOST PORT CONNECTIONS SECONDS
 *
 * Every connection has one visit on its way at all times. It is made for many connections: all
 * share one buffer, an answer is told of once (EPOLLET), and a connection is its descriptor and no
 * more; so what grows with their number is the cost of the kernel and the server. Prints one line of
 * JSON: the visits that were answered, and those that failed.
 */
#define _GNU_SOURCE
#include "client.h"

#include <poll.h>
#include <stdbool.h>
#include <sys/epoll.h>

static const uint64_t second = 1000000000u;
static const int longest_wait = 5000; /* milliseconds, for an answer or the rest of one */

struct run {
  const char *host;
  uint64_t port, answered, failed;
  int *descriptors;
  int poller;
};

static void open_connection(struct run *run, uint32_t index) {
  const int descriptor = connect_to(run->host, run->port);
  struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u32 = index};
  if (epoll_ctl(run->poller, EPOLL_CTL_ADD, descriptor, &event) < 0) give_up("epoll_ctl");
  run->descriptors[index] = descriptor;
}

/* Asks, if need be on a new connection. */
static void ask(struct run *run, uint32_t index) {
  const ssize_t length = (ssize_t)strlen(visit);
  while (send(run->descriptors[index], visit, (size_t)length, MSG_NOSIGNAL) != length) {
    run->failed++;
    close(run->descriptors[index]);
    open_connection(run, index);
  }
}

/* Reads an answer, which has begun to arrive. They are short, so one in parts is rare, and its rest
 * is waited for. */
static bool read_answer(int descriptor) {
  static char answer[4096];
  size_t received = 0;
  while (received < sizeof answer - 1) {
    const ssize_t count = read(descriptor, answer + received, sizeof answer - 1 - received);
    if (count <= 0) return false;
    received += (size_t)count;
    answer[received] = '\0';
    if (http_answer_length(answer, received) == received) return is_success(answer);
    struct pollfd rest = {.fd = descriptor, .events = POLLIN};
    if (poll(&rest, 1, longest_wait) != 1) return false;
  }
  return false;
}

/* Takes what has been answered, and asks again. */
static void turn(struct run *run) {
  struct epoll_event events[256];
  const int count = epoll_wait(run->poller, events, 256, longest_wait);
  if (count <= 0) give_up("no answer");
  for (int each = 0; each < count; each++) {
    const uint32_t index = events[each].data.u32;
    if (read_answer(run->descriptors[index])) {
      run->answered++;
    } else {
      run->failed++;
      close(run->descriptors[index]);
      open_connection(run, index);
    }
    ask(run, index);
  }
}

int main(int count, char **arguments) {
  if (count != 5) {
    fprintf(stderr, "usage: closedloop HOST PORT CONNECTIONS SECONDS\n");
    return 64;
  }
  struct run run = {.host = arguments[1], .port = number(arguments[2], 1)};
  const uint32_t connections = (uint32_t)number(arguments[3], 1);
  const uint64_t end = now() + number(arguments[4], 1) * second;
  run.descriptors = calloc(connections, sizeof *run.descriptors);
  run.poller = epoll_create1(EPOLL_CLOEXEC);
  if (!run.descriptors || run.poller < 0) give_up("start");
  for (uint32_t index = 0; index < connections; index++) {
    open_connection(&run, index);
    ask(&run, index);
  }
  while (now() < end) turn(&run);
  printf("{\"visits\": %llu, \"failures\": %llu}\n", (unsigned long long)run.answered,
         (unsigned long long)run.failed);
  return 0;
}
