/* The kernel's functions without the C library's names for them: a program may have a function of its own that is called `send` or `bind`, and a
 * preloaded library (fakeroot, a proxy) may have put itself in front of these. All set errno. */
#ifndef JM_SYSTEM_CALLS_H
#define JM_SYSTEM_CALLS_H

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

/* The same on all machines; older headers do not have them. */
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

#define JM_CLOSE_RANGE_UNSHARE 2u

/* As many clients as the kernel allows to wait. */
#define JM_BACKLOG 4096

/* Nobody uses this signal: it was for a coprocessor. All signals are blocked in the thread, so that it stays pending there, whatever the
 * program does with it; and no descriptor among the program's own is needed to wake the thread. */
#define JM_WAKING SIGSTKFLT

static inline pid_t jm_getpid(void) { return (pid_t)syscall(SYS_getpid); }
static inline uid_t jm_geteuid(void) { return (uid_t)syscall(SYS_geteuid); }

static inline int jm_open(const char *path, int flags, mode_t mode) {
  return (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, mode);
}
static inline int jm_close(int descriptor) { return (int)syscall(SYS_close, descriptor); }
static inline ssize_t jm_pread(int descriptor, void *bytes, size_t count, off_t at) {
  return syscall(SYS_pread64, descriptor, bytes, count, at);
}
static inline ssize_t jm_write(int descriptor, const void *bytes, size_t count) {
  return syscall(SYS_write, descriptor, bytes, count);
}
/* lstat, or fstat with an empty name and AT_EMPTY_PATH. Those of the headers are symbols of glibc 2.33. */
static inline int jm_stat_at(int folder, const char *name, struct stat *found, int flags) {
  return (int)syscall(SYS_newfstatat, folder, name, found, AT_SYMLINK_NOFOLLOW | flags);
}
static inline int jm_unlink_at(int folder, const char *name) { return (int)syscall(SYS_unlinkat, folder, name, 0); }
static inline int jm_mkdir(const char *path, mode_t mode) { return (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode); }
static inline int jm_chdir(const char *path) { return (int)syscall(SYS_chdir, path); }
static inline int jm_fchdir(int folder) { return (int)syscall(SYS_fchdir, folder); }
static inline int jm_unshare(int what) { return (int)syscall(SYS_unshare, what); }

static inline int jm_new_socket(void) {
  return (int)syscall(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}
static inline int jm_bind(int descriptor, const void *address, socklen_t length) {
  return (int)syscall(SYS_bind, descriptor, address, length);
}
static inline int jm_connect(int descriptor, const void *address, socklen_t length) {
  return (int)syscall(SYS_connect, descriptor, address, length);
}
static inline int jm_listen(int descriptor, int backlog) { return (int)syscall(SYS_listen, descriptor, backlog); }
static inline int jm_accept(int descriptor) {
  return (int)syscall(SYS_accept4, descriptor, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}
static inline int jm_peer(int descriptor, struct ucred *peer) {
  socklen_t length = sizeof *peer;
  return (int)syscall(SYS_getsockopt, descriptor, SOL_SOCKET, SO_PEERCRED, peer, &length);
}
static inline ssize_t jm_receive(int descriptor, void *bytes, size_t count) {
  return syscall(SYS_recvfrom, descriptor, bytes, count, MSG_DONTWAIT, NULL, NULL);
}
static inline ssize_t jm_send(int descriptor, const void *bytes, size_t count) {
  return syscall(SYS_sendto, descriptor, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0);
}
/* -1 milliseconds: for ever. */
static inline int jm_poll(struct pollfd *list, size_t count, int milliseconds) {
  struct timespec limit = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000L};
  return (int)syscall(SYS_ppoll, list, count, milliseconds < 0 ? NULL : &limit, NULL, 0);
}

#endif
