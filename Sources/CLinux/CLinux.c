#define _GNU_SOURCE
#include "CLinux.h"

#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

ssize_t clinux_receive(int socket, void *bytes, size_t count) {
  return syscall(SYS_recvfrom, socket, bytes, count, MSG_DONTWAIT, 0, 0);
}

ssize_t clinux_send(int socket, const void *bytes, size_t count) {
  return syscall(SYS_sendto, socket, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0);
}

int clinux_accept(int listener, struct in6_addr *address) {
  struct sockaddr_storage peer;
  socklen_t size = sizeof peer;
  int socket = accept4(listener, (struct sockaddr *)&peer, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (socket < 0) return -1;
  memset(address, 0, sizeof *address);
  if (peer.ss_family == AF_INET6) {
    *address = ((struct sockaddr_in6 *)&peer)->sin6_addr;
  } else if (peer.ss_family == AF_INET) {
    address->s6_addr[10] = address->s6_addr[11] = 0xff;
    memcpy(&address->s6_addr[12], &((struct sockaddr_in *)&peer)->sin_addr, 4);
  }
  return socket;
}

int clinux_local_port(int socket) {
  struct sockaddr_storage address;
  socklen_t size = sizeof address;
  if (getsockname(socket, (struct sockaddr *)&address, &size) != 0) return -1;
  return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                             : ((struct sockaddr_in *)&address)->sin_port);
}

int clinux_processor_count(void) {
  for (int capacity = CPU_SETSIZE; capacity <= 1 << 20; capacity *= 2) {
    cpu_set_t *usable = CPU_ALLOC(capacity);
    if (!usable) return -1;
    size_t size = CPU_ALLOC_SIZE(capacity);
    int count = sched_getaffinity(0, size, usable) == 0 ? CPU_COUNT_S(size, usable) : -1;
    // EINVAL: the kernel's own set is larger.
    int is_too_small = count < 0 && errno == EINVAL;
    CPU_FREE(usable);
    if (!is_too_small) return count;
  }
  return -1;
}

int clinux_is_ignored(int signal) {
  struct sigaction action;
  return sigaction(signal, 0, &action) == 0 && action.sa_handler == SIG_IGN;
}

static char **program_arguments;
static int program_argument_count;

// The C library hands a constructor what it hands main.
__attribute__((constructor)) static void keep_arguments(int count, char **arguments) {
  program_arguments = arguments;
  program_argument_count = count;
}

char **clinux_arguments(void) { return program_arguments; }

int clinux_argument_count(void) { return program_argument_count; }

void clinux_name_thread(const char *name) {
  pthread_setname_np(pthread_self(), name);
}

const char *clinux_error_text(int code) {
  return strerrordesc_np(code);
}

pid_t clinux_spawn_bound(const char *path, char *const *arguments, int log, int kept) {
  sigset_t everything, before;
  sigfillset(&everything);
  pthread_sigmask(SIG_SETMASK, &everything, &before);
  pid_t parent = getpid();
  pid_t child = fork();
  if (child != 0) {
    int error = errno;
    pthread_sigmask(SIG_SETMASK, &before, 0);
    errno = error;
    return child;
  }
  for (int number = 1; number < NSIG; number++) {
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigaction(number, &action, 0);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, 0);
  if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent) _exit(127);
  setsid();
  int null = open("/dev/null", O_RDONLY);
  if (null < 0 || dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0) _exit(127);
  if (kept >= 0) fcntl(kept, F_SETFD, 0);
  execve(path, arguments, environ);
  _exit(127);
}

int clinux_watch_process(pid_t child) {
  return (int)syscall(SYS_pidfd_open, child, 0);
}
