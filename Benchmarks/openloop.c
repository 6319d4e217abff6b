/*
 * Visits at a fixed rate, whatever the server does: an open loop.
 *
 *   openloop HOST PORT CONNECTIONS RATE SECONDS [PATH]
 *
 * Visit i is due i/RATE seconds after the start, rounded down to a whole number of 50 microseconds:
 * a generator that slept until each by itself would take most of a processor from those it measures.
 * It goes out then on the connection that has been free for longest, or, when none is free, as soon
 * as one is. Its latency counts from when it was due, so a server that stalls cannot hide it by
 * keeping the next visitors waiting (coordinated omission). Prints one line of JSON: the rate asked
 * for, how far apart due times are, the rate achieved, the failures, and the percentiles of the
 * latency in microseconds. A failed or unanswered visit counts with its age. The first second warms
 * up and is not in the percentiles.
 */
#define _GNU_SOURCE
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/prctl.h>

static const uint64_t second = 1000000000u;
static const uint64_t grain = 50000u;          /* visits are due at its multiples */
static const uint64_t warm_up = 1000000000u;   /* not measured */
static const uint64_t last_wait = 5000000000u; /* after the last visit was due */

struct connection {
  int descriptor;
  bool busy;
  uint64_t visit; /* which one is on its way, when busy */
  size_t received;
  char answer[4096];
};

struct run {
  const char *host;
  uint64_t port, rate, start, visits, sent, finished, failed;
  uint64_t measured; /* how many latencies there are */
  uint64_t *latencies;
  struct connection *connections;
  uint32_t count;
  uint32_t *free; /* a ring of the connections that are free, the longest free first */
  uint32_t first_free, free_count;
  int poller;
};

/* When a visit is due. */
static uint64_t due(const struct run *run, uint64_t index) {
  const uint64_t exact = (uint64_t)((double)index * (double)second / (double)run->rate);
  return run->start + exact - exact % grain;
}

static void finish(struct run *run, uint64_t index, uint64_t when, bool success) {
  const uint64_t scheduled = due(run, index);
  if (scheduled >= run->start + warm_up) run->latencies[run->measured++] = when - scheduled;
  run->finished++;
  if (!success) run->failed++;
}

static void set_free(struct run *run, uint32_t index) {
  run->connections[index].busy = false;
  run->connections[index].received = 0;
  run->free[(run->first_free + run->free_count++) % run->count] = index;
}

static void open_connection(struct run *run, uint32_t index) {
  const int descriptor = connect_to(run->host, run->port);
  if (fcntl(descriptor, F_SETFL, O_NONBLOCK) < 0) give_up("O_NONBLOCK");
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = index};
  if (epoll_ctl(run->poller, EPOLL_CTL_ADD, descriptor, &event) < 0) give_up("epoll_ctl");
  run->connections[index].descriptor = descriptor;
  set_free(run, index);
}

/* Replaces a connection that broke, and fails the visit that was on its way. */
static void replace(struct run *run, uint32_t index) {
  struct connection *connection = &run->connections[index];
  close(connection->descriptor);
  if (!connection->busy) {
    fprintf(stderr, "the server closed a connection that was free\n");
    exit(1);
  }
  finish(run, connection->visit, now(), false);
  open_connection(run, index);
}

/* Sends the visits that are due, as long as connections are free. */
static void send_due(struct run *run) {
  while (run->free_count > 0 && run->sent < run->visits && due(run, run->sent) <= now()) {
    const uint32_t index = run->free[run->first_free];
    run->first_free = (run->first_free + 1) % run->count;
    run->free_count--;
    struct connection *connection = &run->connections[index];
    connection->busy = true;
    connection->visit = run->sent++;
    const ssize_t length = (ssize_t)strlen(visit);
    if (send(connection->descriptor, visit, (size_t)length, MSG_NOSIGNAL) != length) {
      replace(run, index);
    }
  }
}

/* Reads what a connection has; when that completes an answer, its visit is finished. */
static void receive(struct run *run, uint32_t index) {
  struct connection *connection = &run->connections[index];
  const size_t space = sizeof connection->answer - 1 - connection->received;
  const ssize_t count =
      read(connection->descriptor, connection->answer + connection->received, space);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0 || !connection->busy) return replace(run, index);
  connection->received += (size_t)count;
  connection->answer[connection->received] = '\0';
  if (http_answer_length(connection->answer, connection->received) == 0) {
    if (connection->received == sizeof connection->answer - 1) replace(run, index);
    return;
  }
  finish(run, connection->visit, now(), is_success(connection->answer));
  set_free(run, index);
}

/* Waits until something arrived, the next visit is due, or the run is over. */
static int wait_for_events(struct run *run, struct epoll_event *events, int most, uint64_t end) {
  const bool can_send = run->free_count > 0 && run->sent < run->visits;
  const uint64_t until = can_send ? due(run, run->sent) : end, time = now();
  const uint64_t left = until > time ? until - time : 0;
  const struct timespec timeout = {
      .tv_sec = (time_t)(left / second), .tv_nsec = (long)(left % second)};
  const int count = epoll_pwait2(run->poller, events, most, &timeout, NULL);
  if (count < 0 && errno != EINTR) give_up("epoll_pwait2");
  return count < 0 ? 0 : count;
}

/* Sends all visits and waits for their answers; what then is unanswered has failed. */
static void go(struct run *run) {
  struct epoll_event events[256];
  run->start = now() + second / 100;
  const uint64_t end = due(run, run->visits) + last_wait;
  while (run->finished < run->visits && now() < end) {
    send_due(run);
    const int count = wait_for_events(run, events, 256, end);
    for (int each = 0; each < count; each++) {
      receive(run, events[each].data.u32);
      send_due(run);
    }
  }
  const uint64_t time = now();
  for (uint32_t index = 0; index < run->count; index++) {
    if (run->connections[index].busy) finish(run, run->connections[index].visit, time, false);
  }
  while (run->sent < run->visits) finish(run, run->sent++, time, false);
}

int main(int count, char **arguments) {
  if (count != 6 && count != 7) {
    fprintf(stderr, "usage: openloop HOST PORT CONNECTIONS RATE SECONDS [PATH]\n");
    return 64;
  }
  if (count == 7) visit_path(arguments[6]);
  struct run run = {.host = arguments[1], .port = number(arguments[2], 1)};
  run.count = (uint32_t)number(arguments[3], 1);
  run.rate = number(arguments[4], 1);
  run.visits = run.rate * (number(arguments[5], 1) + warm_up / second);
  run.latencies = calloc(run.visits, sizeof *run.latencies);
  run.connections = calloc(run.count, sizeof *run.connections);
  run.free = calloc(run.count, sizeof *run.free);
  run.poller = epoll_create1(EPOLL_CLOEXEC);
  if (!run.latencies || !run.connections || !run.free || run.poller < 0) give_up("start");
  /* Wakes up when it is time, not up to 50 microseconds later. */
  if (prctl(PR_SET_TIMERSLACK, 1) < 0) give_up("PR_SET_TIMERSLACK");
  for (uint32_t index = 0; index < run.count; index++) open_connection(&run, index);

  go(&run);

  const double took = (double)(now() - run.start) / (double)second;
  printf("{\"rate\": %llu, \"grain_us\": %llu, \"achieved\": %.1f, \"measured\": %llu",
         (unsigned long long)run.rate, (unsigned long long)grain / 1000,
         (double)(run.finished - run.failed) / took, (unsigned long long)run.measured);
  printf(", \"failures\": %llu", (unsigned long long)run.failed);
  print_percentiles(run.latencies, run.measured);
  printf("}\n");
  return 0;
}
