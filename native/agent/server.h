/* The agent's server: one thread of its own with a Unix socket, in a process that is not ours. It shares the process's memory and allocator
 * with it and nothing else: it has its own descriptors, its own working directory and umask, and takes no signal. The same files
 * are part of the preloaded library and of the addon.
 *
 *   server-thread.c       the thread: start, wait, end; what fork and exit do to it
 *   server-descriptors.c  what it has to itself
 *   server-filters.c      whether its system calls are filtered, and may be made all the same
 *   server-socket.c       the folder and the socket
 *   server-sweep.c        sockets that others left there
 *   server.c              the loop: clients come, ask, are answered, go
 *   server-buffer.c       memory that is not the process's heap
 *   server-answers.c      one function for each operation */
#ifndef JM_SERVER_H
#define JM_SERVER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "jemalloc.h"
#include "mallctl-counters.h"
#include "mallctl-names.h"
#include "wire.h"

#define JM_CLIENTS_MAX 32
#define JM_PATH_MAX 4096
#define JM_SECOND_NS INT64_C(1000000000)

/* --- server-buffer.c --- */

/* Bytes in pages of their own, which come and go; a child of fork does not have them. */
struct jm_buffer {
  unsigned char *data;
  size_t used;
  size_t size;
  /* There was no memory, or it would have become larger than an answer may be. */
  bool failed;
};

void jm_buffer_put(struct jm_buffer *buffer, const void *bytes, size_t count);
/* Empties it, and gives back what is more than a usual answer needs. */
void jm_buffer_clear(struct jm_buffer *buffer);
void jm_buffer_free(struct jm_buffer *buffer);
/* Zeroed pages, or NULL. */
void *jm_pages(size_t size);
void jm_free_pages(void *pages, size_t size);

/* --- server-filters.c --- */

#define JM_FILTERS_UNKNOWN (-1)
#define JM_PROOF_MAX 32

/* How many filters the system calls of a thread pass; unknown where the kernel does not count them (before Linux 5.9). */
int jm_filters(int status);
/* The thread's own proc file for it. */
int jm_open_status(void);
/* Of the calling thread. */
int jm_filters_here(void);
/* What JEMKIT_AGENT_FILTERS says where the agent was seen to do no harm under so many filters. */
void jm_filters_proof(int filters, char proof[JM_PROOF_MAX]);
/* How many filters the calling thread has, if there are none or the claim, a value of JEMKIT_AGENT_FILTERS or NULL, is true of them; else
 * unknown. */
int jm_proven_filters(const char *claim);

/* --- server-socket.c --- */

struct jm_socket {
  int folder;
  int listener;
  /* The effective user at the moment of opening: whose folder it lies in. */
  uid_t user;
  char name[32];
};

/* What can be told apart about a socket in the file system: where it is, and that it is still the same. */
struct jm_trace {
  char path[JM_PATH_MAX];
  dev_t device;
  ino_t inode;
};

/* Opens `<directory>/jemkit-<euid>/<pid><suffix>`. NULL, or what is wrong, with the error number in errno (0: there is none). */
const char *jm_socket_open(struct jm_socket *socket, struct jm_trace *trace, const char *directory, const char *suffix);
/* Closes it, and takes it out of its folder if what lies there is still this socket. */
void jm_socket_close(struct jm_socket *socket, const struct jm_trace *trace);
/* The same from another thread, which does not have its descriptors. */
void jm_trace_remove(const struct jm_trace *trace);
/* Whether anybody listens behind another name in its folder, or may. */
bool jm_socket_answers(const struct jm_socket *socket, const char *name);

/* --- server-sweep.c --- */

/* Takes sockets out of its folder that processes of this user left there. */
void jm_sweep(const struct jm_socket *socket);

/* --- server-descriptors.c --- */

/* Gives the calling thread a table of descriptors of its own, which is empty but for 0 to 2, taken by what nobody can write to. False: it
 * could not be had. */
bool jm_own_descriptors(bool filtered);
/* Gives the calling thread a working directory and a umask of its own. Without them it never changes the program's. */
void jm_own_directory(bool filtered);
bool jm_has_own_directory(void);

/* Readable when jm_wake was called for this thread; -1 where that cannot be had. */
int jm_open_waker(void);
void jm_wake(pid_t process, pid_t thread);

/* Writes to the process's standard error, if that is still the file `device`, `inode`. */
void jm_say(const char *text, dev_t device, ino_t inode);

/* --- server.c --- */

struct jm_client {
  int descriptor;
  /* It has said its last; what it asked is still answered. */
  bool ended;
  /* Nothing more is read from it, since where its next message begins cannot be known. */
  bool lost;
  /* Monotonic moment of the last thing that happened. */
  int64_t since_ns;
  size_t sent;
  struct jm_buffer answer;
  uint32_t selected;
  size_t received;
  unsigned char question[sizeof(struct jm_wire_header) + JM_WIRE_QUESTION_MAX];
  struct jm_counter counters[JM_WIRE_SELECTED_MAX];
};

struct jm_server {
  struct jm_jemalloc jemalloc;
  struct jm_names *names;
  /* enum jm_wire_flag of the place it is in. */
  uint32_t place;
  uint64_t started_ns;
  /* Appends the JSON that JavaScript published, behind its moment; a status. NULL: nobody can. */
  int32_t (*node_facts)(struct jm_buffer *answer);
  /* Has JavaScript count its ArrayBuffers; a status. NULL: nobody can. */
  int32_t (*node_count)(void);
  struct jm_socket socket;
  /* Whose number of filters must stay what it is. */
  int status;
  int filters;
  /* Readable when somebody wants the server to end; or -1. */
  int waker;
  /* Whether somebody does. */
  bool (*is_over)(void);
  /* Until then the user may be changing. */
  int64_t watch_until_ns;
  size_t count;
  struct jm_client *clients[JM_CLIENTS_MAX];
};

enum jm_end { JM_END_TOLD, JM_END_OTHER_USER, JM_END_FAILED };

/* Serves until it must end. The clients are gone when it returns. */
enum jm_end jm_serve(struct jm_server *server);

int64_t jm_now_ns(void);


/* --- server-answers.c --- */

/* Answers one question, whose bytes are whole: appends the answer, with its header. */
void jm_answer(struct jm_server *server, struct jm_client *client, const struct jm_wire_header *question,
               const unsigned char *bytes);

/* --- server-thread.c --- */

struct jm_start {
  /* An absolute folder. Both texts must stay. */
  const char *directory;
  /* `.sock`, or `.node.sock`. */
  const char *suffix;
  uint32_t place;
  int32_t (*node_facts)(struct jm_buffer *answer);
  int32_t (*node_count)(void);
  /* When to open the socket, on the monotonic clock. */
  int64_t open_at_ns;
  /* Failure is worth a line on standard error. */
  bool explicit;
  /* Somebody waits for its very end with jm_server_join. */
  bool joined;
  /* System call filters under which it may act: those there are, as jm_proven_filters found them. */
  int filters;
};

/* What such a thread is like. */
void jm_server_thread_attributes(pthread_attr_t *attributes, bool joined);
/* Starts the thread; false where it cannot be. */
bool jm_server_start(const struct jm_start *start);
/* In the child of a fork: there is no thread any more. True if there was one to go on with. */
bool jm_server_forked(void);
/* Waits until the socket is open (its path), or is not (NULL, and why). */
const char *jm_server_path(char reason[256]);
/* Takes the socket away and has the thread end. */
void jm_server_stop(void);
/* Waits until the C library no longer counts the thread; of one that was started as `joined`. */
void jm_server_join(void);
/* Once, before the first start, and not after a fork, as it takes the loader's lock: how much of a thread's stack the C library takes for
 * thread-local variables. */
void jm_server_measure(void);
/* For the server's own thread, under filters that nobody has tried: it is gone, with no call but that. */
__attribute__((noreturn)) void jm_server_vanish(void);
/* Waits until it has ended. */
void jm_server_wait(void);

#endif
