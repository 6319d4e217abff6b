// The Linux calls that Glibc's Swift module leaves out, and what Swift cannot do by itself.
//
// The GNU-only ones stand behind functions of our own: _GNU_SOURCE in a header that Swift imports
// would give it types, fd_set for one, that differ from those of the Glibc module.
#ifndef CLINUX_H
#define CLINUX_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/// recv(2) and send(2) without waiting and without SIGPIPE, straight from the kernel: the C library's
/// own also see to the cancellation of threads (pthread_cancel(3)), which nobody does here.
ssize_t clinux_receive(int socket, void *bytes, size_t count);
ssize_t clinux_send(int socket, const void *bytes, size_t count);

/// accept4(2), non-blocking and closed on exec. It fills in the client's address, an IPv4 address mapped
/// into IPv6; zeros for a client that has none.
int clinux_accept(int listener, struct in6_addr *address);

/// The port of a socket that is bound to an IPv4 or IPv6 address (getsockname(2)), or -1.
int clinux_local_port(int socket);

/// How many processors this process may run on (sched_getaffinity(2)), or -1. The machine may have
/// more than the 1,024 of a cpu_set_t.
int clinux_processor_count(void);

/// Whether a signal is ignored (sigaction(2)).
int clinux_is_ignored(int signal);

/// The arguments that execve(2) handed to the program, its name among them, and how many they are. Swift's
/// own `CommandLine` reads them from /proc, where they are missing when that is not mounted.
char **clinux_arguments(void);
int clinux_argument_count(void);

/// Names the calling thread, in at most 15 bytes (pthread_setname_np(3)).
void clinux_name_thread(const char *name);

/// A constant text for an errno, or NULL when it is unknown (strerrordesc_np(3)).
const char *clinux_error_text(int code);

/// Starts `path` as a child that dies with the thread that calls this: the kernel sends it SIGTERM
/// when that thread ends, however it ends (prctl(2), PR_SET_PDEATHSIG).
///
/// The child leads a session of its own, so that a Ctrl-C at the terminal does not reach it; its
/// standard input is /dev/null, its standard output and error are `log`, and of the other
/// descriptors it keeps only `kept`. Only async-signal-safe calls stand between fork and exec, as
/// a program with threads must see to (fork(2)).
///
/// Returns the child's process id, or -1 with errno set. A failed exec ends the child with 127.
pid_t clinux_spawn_bound(const char *path, char *const *arguments, int log, int kept);

/// A descriptor that becomes readable when a child ends (pidfd_open(2)), or -1.
int clinux_watch_process(pid_t child);

#endif
