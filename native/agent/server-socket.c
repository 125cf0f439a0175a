/* Where the socket lies: `jemkit-<euid>` below a folder that others may write to. Nothing there is trusted that is not the user's own and
 * closed to others; from then on everything is done through the folder's descriptor, so that no path can be changed underneath. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "server.h"
#include "system-calls.h"

/* As many as the kernel allows to wait. */
#define JM_BACKLOG 4096

/* Opens the user's folder; -1 and why not. */
static int jm_open_folder(const char *path, uid_t user, const char **reason) {
  struct stat found;
  if (jm_mkdir(path, 0700) == -1 && errno != EEXIST) {
    *reason = "cannot be made";
    return -1;
  }
  int folder = jm_open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
  if (folder == -1) {
    *reason = errno == ENOTDIR || errno == ELOOP ? "is a symbolic link, or no folder" : "cannot be opened";
    return -1;
  }
  *reason = NULL;
  if (jm_stat_at(folder, "", &found, AT_EMPTY_PATH) == -1) *reason = "cannot be looked at";
  else if (found.st_uid != user) *reason = "belongs to another user";
  else if (found.st_mode & 077) *reason = "is open to other users";
  if (!*reason) return folder;
  jm_close(folder);
  errno = 0;
  return -1;
}

/* Somebody answers there: with this number in another process namespace that shares the folder. */
static bool jm_is_alive(const struct sockaddr_un *address) {
  int descriptor = jm_new_socket();
  if (descriptor == -1) return true;
  bool alive = jm_connect(descriptor, address, sizeof *address) == 0 || errno != ECONNREFUSED;
  jm_close(descriptor);
  return alive;
}

/* The socket's mode is what the umask, the thread's own, leaves of 0777. */
static int jm_bind_closed(const struct jm_socket *socket, const struct sockaddr_un *address) {
  mode_t before = (mode_t)syscall(SYS_umask, 0177);
  int result = jm_bind(socket->listener, address, sizeof *address), error = errno;
  syscall(SYS_umask, before);
  errno = error;
  return result;
}

/* Binds in the working directory. What is left of a process that had this number, or of this one before it called exec, is replaced. */
static bool jm_bind_name(struct jm_socket *socket) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  struct stat found;
  memcpy(address.sun_path, socket->name, sizeof socket->name);
  if (jm_bind_closed(socket, &address) == 0) return true;
  if (errno != EADDRINUSE) return false;
  if (jm_stat_at(socket->folder, socket->name, &found, 0) == -1 || !S_ISSOCK(found.st_mode) || jm_is_alive(&address)) {
    errno = EADDRINUSE;
    return false;
  }
  return jm_unlink_at(socket->folder, socket->name) == 0 &&
         jm_bind_closed(socket, &address) == 0;
}

const char *jm_socket_open(struct jm_socket *opened, struct jm_trace *trace, const char *directory, const char *suffix) {
  const char *reason = NULL;
  struct stat found;
  opened->user = jm_geteuid();
  opened->folder = opened->listener = -1;
  snprintf(opened->name, sizeof opened->name, "%d%s", (int)jm_getpid(), suffix);
  int length = snprintf(trace->path, sizeof trace->path, "%s/jemkit-%u", directory, (unsigned)opened->user);
  if (length < 0 || (size_t)length + sizeof opened->name + 1 >= sizeof trace->path) {
    errno = ENAMETOOLONG;
    return "cannot be named";
  }
  opened->folder = jm_open_folder(trace->path, opened->user, &reason);
  if (opened->folder == -1) return reason;
  /* The thread's own working directory: an address in it is short, and cannot lead elsewhere. */
  if (jm_fchdir(opened->folder) == -1) reason = "cannot be entered";
  if (!reason) {
    opened->listener = jm_new_socket();
    if (opened->listener == -1 || !jm_bind_name(opened)) reason = "takes no socket";
  }
  if (!reason) {
    if (jm_stat_at(opened->folder, opened->name, &found, 0) == 0 && S_ISSOCK(found.st_mode)) {
      trace->device = found.st_dev;
      trace->inode = found.st_ino;
      trace->path[length] = '/';
      memcpy(trace->path + length + 1, opened->name, sizeof opened->name);
    } else reason = "lost its socket";
  }
  if (!reason && jm_listen(opened->listener, JM_BACKLOG) == -1) reason = "has a socket that nobody can listen on";
  int error = errno;
  if (jm_chdir("/") == -1) error = errno;
  if (reason) {
    if (opened->listener != -1) jm_close(opened->listener);
    jm_close(opened->folder);
    opened->folder = opened->listener = -1;
  }
  errno = error;
  return reason;
}

static bool jm_is_same(const struct stat *found, const struct jm_trace *trace) {
  return S_ISSOCK(found->st_mode) && found->st_dev == trace->device && found->st_ino == trace->inode;
}

void jm_socket_close(struct jm_socket *socket, const struct jm_trace *trace) {
  struct stat found;
  if (jm_stat_at(socket->folder, socket->name, &found, 0) == 0 && jm_is_same(&found, trace))
    jm_unlink_at(socket->folder, socket->name);
  jm_close(socket->listener);
  jm_close(socket->folder);
  socket->listener = socket->folder = -1;
}

void jm_trace_remove(const struct jm_trace *trace) {
  struct stat found;
  if (jm_stat_at(AT_FDCWD, trace->path, &found, 0) == 0 && jm_is_same(&found, trace)) jm_unlink_at(AT_FDCWD, trace->path);
}
