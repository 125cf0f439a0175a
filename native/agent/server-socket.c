/* Where the socket lies: `jemkit-<euid>` below a folder that others may write to. Nothing there is trusted that is not the user's own and
 * closed to others; from then on everything is done through the folder's descriptor, so that no path can be changed underneath. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "server.h"
#include "system-calls.h"

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

/* Where a name in the folder is for bind and connect, which take no descriptor: by itself in a working directory of the thread's own, else
 * by the folder's descriptor. */
static struct sockaddr_un jm_address(const struct jm_socket *socket, const char *name, bool by_descriptor) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (by_descriptor) snprintf(address.sun_path, sizeof address.sun_path, "/proc/thread-self/fd/%d/%s", socket->folder, name);
  else snprintf(address.sun_path, sizeof address.sun_path, "%s", name);
  return address;
}

/* Somebody answers there: with this number in another process namespace that shares the folder. */
static bool jm_is_alive(const struct sockaddr_un *address) {
  int descriptor = jm_new_socket();
  if (descriptor == -1) return true;
  bool alive = jm_connect(descriptor, address, sizeof *address) == 0 || errno != ECONNREFUSED;
  jm_close(descriptor);
  return alive;
}

bool jm_socket_answers(const struct jm_socket *socket, const char *name) {
  struct sockaddr_un address = jm_address(socket, name, true);
  return jm_is_alive(&address);
}

/* What is left of a process that had this number, or of this one before it called exec, is replaced. */
static bool jm_bind_name(struct jm_socket *socket) {
  struct sockaddr_un address = jm_address(socket, socket->name, !jm_has_own_directory());
  struct stat found;
  /* Before it has a name: the name gets these rights, less what the umask takes away. */
  syscall(SYS_fchmod, socket->listener, 0600);
  if (jm_bind(socket->listener, &address, sizeof address) == 0) return true;
  if (errno != EADDRINUSE) return false;
  if (jm_stat_at(socket->folder, socket->name, &found, 0) == -1 || !S_ISSOCK(found.st_mode) || jm_is_alive(&address)) {
    errno = EADDRINUSE;
    return false;
  }
  return jm_unlink_at(socket->folder, socket->name) == 0 &&
         jm_bind(socket->listener, &address, sizeof address) == 0;
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
  bool enters = jm_has_own_directory();
  if (enters && jm_fchdir(opened->folder) == -1) reason = "cannot be entered";
  if (!reason) {
    opened->listener = jm_new_socket();
    if (opened->listener == -1 || !jm_bind_name(opened)) reason = "takes no socket";
  }
  if (!reason) {
    if (jm_stat_at(opened->folder, opened->name, &found, 0) == 0 && S_ISSOCK(found.st_mode)) {
      /* The program's umask may have left less. */
      if ((found.st_mode & 0777) != 0600) syscall(SYS_fchmodat, opened->folder, opened->name, 0600);
      trace->device = found.st_dev;
      trace->inode = found.st_ino;
      trace->path[length] = '/';
      memcpy(trace->path + length + 1, opened->name, sizeof opened->name);
    } else reason = "lost its socket";
  }
  if (!reason && jm_listen(opened->listener, JM_BACKLOG) == -1) reason = "has a socket that nobody can listen on";
  int error = errno;
  if (enters && jm_chdir("/") == -1) error = errno;
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
