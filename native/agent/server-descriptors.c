/* What the thread has to itself. A program may close all descriptors it did not open, or expect that the next one it opens has a
 * certain number: so none of the agent's may be among its own. */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>

#include "server.h"
#include "system-calls.h"

/* Before Linux 5.9: closes what /proc says is open. The thread has its own copy already. */
static bool jm_close_all(void) {
  char entries[4096];
  int folder = jm_open("/proc/thread-self/fd", O_RDONLY | O_DIRECTORY, 0);
  if (folder == -1) return false;
  /* The directory changes while it is read: until a whole pass finds nothing more. */
  for (bool found = true; found;) {
    found = false;
    long length;
    if (syscall(SYS_lseek, folder, 0, SEEK_SET) == -1) break;
    while ((length = syscall(SYS_getdents64, folder, entries, sizeof entries)) > 0) {
      for (long at = 0; at < length;) {
        unsigned short size;
        /* struct linux_dirent64: u64 inode, s64 offset, u16 size, u8 type, name. */
        memcpy(&size, entries + at + 16, sizeof size);
        int number = 0;
        const char *name = entries + at + 19;
        for (; *name >= '0' && *name <= '9'; name++) number = number * 10 + (*name - '0');
        if (*name == 0 && number != folder && jm_close(number) == 0) found = true;
        at += size;
      }
    }
  }
  jm_close(folder);
  return true;
}

bool jm_own_descriptors(bool filtered) {
  bool alone = syscall(SYS_close_range, 0ul, (unsigned long)~0u, JM_CLOSE_RANGE_UNSHARE) == 0;
  /* A kernel that counts filters has close_range. */
  if (!alone && (filtered || jm_unshare(CLONE_FILES) != 0 || !jm_close_all())) return false;
  /* What the process's libraries say on standard error must not land in a socket: an epoll descriptor takes no bytes. */
  for (;;) {
    int taken = (int)syscall(SYS_epoll_create1, O_CLOEXEC);
    if (taken > STDERR_FILENO) jm_close(taken);
    if (taken == -1) return false;
    if (taken >= STDERR_FILENO) return true;
  }
}

static bool jm_directory_is_own;

void jm_own_directory(bool filtered) {
  /* Containers' filters refuse it. */
  jm_directory_is_own = !filtered && jm_unshare(CLONE_FS) == 0;
  if (!jm_directory_is_own) return;
  syscall(SYS_umask, 077);
  /* Not to hold the file system that the program was started in. */
  jm_chdir("/");
}

bool jm_has_own_directory(void) { return jm_directory_is_own; }

int jm_open_waker(void) {
  uint64_t set = UINT64_C(1) << (JM_WAKING - 1);
  return (int)syscall(SYS_signalfd4, -1, &set, sizeof set, O_CLOEXEC);
}

void jm_wake(pid_t process, pid_t thread) { syscall(SYS_tgkill, process, thread, JM_WAKING); }

void jm_say(const char *text, dev_t device, ino_t inode) {
  /* The thread's own descriptor 2 is not the program's. */
  int process = (int)syscall(SYS_pidfd_open, jm_getpid(), 0);
  int stream = process == -1 ? -1 : (int)syscall(SYS_pidfd_getfd, process, STDERR_FILENO, 0);
  /* Containers' filters refuse that; a socket cannot be opened anew, all else can. */
  if (stream == -1) stream = jm_open("/proc/self/fd/2", O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY, 0);
  struct stat now;
  /* A daemon may have opened something else as its descriptor 2, which a line of ours would destroy. */
  if (stream != -1 && jm_stat_at(stream, "", &now, AT_EMPTY_PATH) == 0 && now.st_dev == device &&
      now.st_ino == inode) {
    ssize_t written = jm_write(stream, text, strlen(text));
    (void)written;
  }
  if (stream != -1) jm_close(stream);
  if (process != -1) jm_close(process);
}
