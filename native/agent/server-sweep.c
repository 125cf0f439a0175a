/* Sockets of processes that were killed, or ended by _exit: nobody else takes them away where nobody ever looks. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "server.h"
#include "system-calls.h"

/* Enough that there are not more and more, and few enough to be nothing. */
#define JM_SWEPT_MAX 64
/* Between its making and the moment where it listens a socket is nobody's, too. */
#define JM_SWEPT_AGE_SECONDS 60

/* The number that a socket's name begins with, or 0. */
static int jm_number_of(const char *name) {
  size_t digits = strspn(name, "0123456789");
  if (digits == 0 || digits > 9 || *name == '0') return 0;
  if (strcmp(name + digits, ".sock") != 0 && strcmp(name + digits, ".node.sock") != 0) return 0;
  int number = 0;
  for (size_t i = 0; i < digits; i++) number = number * 10 + (name[i] - '0');
  return number;
}

static bool jm_is_process(int number) {
  char path[32];
  struct stat found;
  snprintf(path, sizeof path, "/proc/%d", number);
  return jm_stat_at(AT_FDCWD, path, &found, 0) == 0 || errno != ENOENT;
}

static bool jm_is_old(const struct jm_socket *socket, const char *name, struct stat *found, time_t now) {
  return jm_stat_at(socket->folder, name, found, 0) == 0 && S_ISSOCK(found->st_mode) &&
         found->st_mtime < now - JM_SWEPT_AGE_SECONDS;
}

static void jm_sweep_name(const struct jm_socket *socket, const char *name, time_t now) {
  struct stat before, after;
  int number = jm_number_of(name);
  if (number == 0 || jm_is_process(number) || !jm_is_old(socket, name, &before, now)) return;
  /* It may be of a process in another namespace, which this /proc does not show. */
  if (jm_socket_answers(socket, name) || !jm_is_old(socket, name, &after, now)) return;
  if (after.st_ino == before.st_ino && after.st_dev == before.st_dev) jm_unlink_at(socket->folder, name);
}

void jm_sweep(const struct jm_socket *socket) {
  char entries[4096];
  struct timespec now;
  /* Without a /proc of this namespace nothing can be said of a number. */
  if (!jm_is_process(jm_getpid()) || clock_gettime(CLOCK_REALTIME, &now) != 0) return;
  long length;
  int looked_at = 0;
  while ((length = syscall(SYS_getdents64, socket->folder, entries, sizeof entries)) > 0) {
    for (long at = 0; at < length; looked_at++) {
      unsigned short size;
      /* struct linux_dirent64: u64 inode, s64 offset, u16 size, u8 type, name. */
      memcpy(&size, entries + at + 16, sizeof size);
      if (looked_at == JM_SWEPT_MAX) return;
      jm_sweep_name(socket, entries + at + 19, now.tv_sec);
      at += size;
    }
  }
}
