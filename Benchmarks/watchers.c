/*
 * Watchers of counters: each reads a stream of events.
 *
 *   watchers HOST PORT PATH COUNTERS STREAMS SECONDS
 *
 * Stream i asks for PATH with the number i modulo COUNTERS behind it. Prints `open` when each stream has had its
 * first event, and after the seconds one line of JSON: the events that came since, and the streams that ended.
 * An event is counted by its line of data. As little as possible is done for each, so that what grows with
 * their number is the cost of the server.
 */
#define _GNU_SOURCE
#include "client.h"

#include <sys/epoll.h>

static const uint64_t second = 1000000000u;

struct run {
  uint64_t events, ended, begun;
  uint8_t *has_begun;
  int *descriptors;
  int poller;
};

static void open_stream(struct run *run, uint32_t index, char *arguments[]) {
  const int descriptor = connect_to(arguments[1], number(arguments[2], 1));
  char request[512];
  const int length =
      snprintf(request, sizeof request, "GET %s%llu HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", arguments[3],
               (unsigned long long)(index % number(arguments[4], 1)));
  if (length >= (int)sizeof request || send(descriptor, request, (size_t)length, MSG_NOSIGNAL) != length)
    give_up("send");
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = index};
  if (epoll_ctl(run->poller, EPOLL_CTL_ADD, descriptor, &event) < 0) give_up("epoll_ctl");
  run->descriptors[index] = descriptor;
}

/* Reads what has come, and counts the lines of data in it. */
static void read_events(struct run *run, uint32_t index) {
  static char bytes[4096];
  const ssize_t count = read(run->descriptors[index], bytes, sizeof bytes - 1);
  if (count <= 0) {
    run->ended++;
    close(run->descriptors[index]);
    return;
  }
  bytes[count] = '\0';
  for (const char *found = bytes; (found = strstr(found, "\ndata: ")) != NULL; found++) {
    run->events++;
    if (!run->has_begun[index]) {
      run->has_begun[index] = 1;
      run->begun++;
    }
  }
}

static void turn(struct run *run) {
  struct epoll_event events[256];
  const int count = epoll_wait(run->poller, events, 256, 100);
  for (int each = 0; each < count; each++) read_events(run, events[each].data.u32);
}

int main(int count, char *arguments[]) {
  if (count != 7) {
    fprintf(stderr, "usage: watchers HOST PORT PATH COUNTERS STREAMS SECONDS\n");
    return 64;
  }
  struct run run = {0};
  const uint32_t streams = (uint32_t)number(arguments[5], 1);
  const uint64_t seconds = number(arguments[6], 1);
  run.descriptors = calloc(streams, sizeof *run.descriptors);
  run.has_begun = calloc(streams, sizeof *run.has_begun);
  run.poller = epoll_create1(EPOLL_CLOEXEC);
  if (!run.descriptors || !run.has_begun || run.poller < 0) give_up("start");
  const uint64_t opening_end = now() + 60 * second;
  for (uint32_t index = 0; index < streams; index++) {
    open_stream(&run, index, arguments);
    if (index % 64 == 0) turn(&run);
  }
  while (run.begun < streams) {
    turn(&run);
    if (run.ended > 0 || now() > opening_end) {
      fprintf(stderr, "%llu of %u streams began\n", (unsigned long long)run.begun, streams);
      return 1;
    }
  }
  printf("open\n");
  fflush(stdout);
  run.events = 0;
  const uint64_t end = now() + seconds * second;
  while (now() < end) turn(&run);
  printf("{\"events\": %llu, \"ended\": %llu}\n", (unsigned long long)run.events,
         (unsigned long long)run.ended);
  return 0;
}
