/* System call filters (seccomp). A filter may end the process for a call that the program itself never makes, and which calls these are cannot be
 * asked: so the agent acts only under filters under which all of its calls have been tried (trial.c), in a process that was made for it. Filters are
 * inherited, kept by exec, and only ever added: the same number of them in a descendant means the same filters.
 *
 * `jem run` hands the outcome on in JEMKIT_AGENT_FILTERS. An environment may also travel to who is no descendant (a daemon that starts
 * programs for others, a file), so that it tells of the place, too: the boot, the process namespace, the control group. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "server.h"
#include "system-calls.h"

int jm_open_status(void) { return jm_open("/proc/thread-self/status", O_RDONLY, 0); }

/* Two lines of it: more than they take. */
#define JM_LINES_MAX 64

int jm_filters(int status) {
  char text[4096];
  ssize_t length;
  /* They stand behind the user's groups, of which there may be thousands. */
  for (off_t at = 0; (length = jm_pread(status, text, sizeof text - 1, at)) > 0;) {
    bool last = (size_t)length < sizeof text - 1;
    text[length] = 0;
    const char *mode = strstr(text, "\nSeccomp:");
    if (!mode && last) break;
    if (mode && (last || text + length - mode >= JM_LINES_MAX)) {
      const char *count = strstr(mode, "\nSeccomp_filters:");
      int number = atoi(mode + sizeof "\nSeccomp:" - 1);
      if (number == 0) return 0;
      number = number == 2 && count ? atoi(count + sizeof "\nSeccomp_filters:" - 1) : 0;
      return number > 0 ? number : JM_FILTERS_UNKNOWN;
    }
    at += mode ? mode - text : length - JM_LINES_MAX;
  }
  /* There is no /proc in this root, or no such line: the kernel has no filters, or the text changed between two looks. A filter may forbid this
   * question, too, so that it is the second choice. */
  int kept = prctl(PR_GET_SECCOMP, 0, 0, 0, 0);
  return kept == 0 || (kept == -1 && errno == EINVAL) ? 0 : JM_FILTERS_UNKNOWN;
}

int jm_filters_here(void) {
  int status = jm_open_status();
  int filters = jm_filters(status);
  if (status != -1) jm_close(status);
  return filters;
}

static uint64_t jm_mix(uint64_t hash, const void *bytes, size_t count) {
  for (size_t i = 0; i < count; i++) hash = (hash ^ ((const unsigned char *)bytes)[i]) * UINT64_C(1099511628211);
  return hash;
}

static uint64_t jm_mix_file(uint64_t hash, const char *path) {
  char text[4096];
  int file = jm_open(path, O_RDONLY, 0);
  ssize_t length = file == -1 ? 0 : jm_pread(file, text, sizeof text, 0);
  if (file != -1) jm_close(file);
  return jm_mix(hash, text, length > 0 ? (size_t)length : 0);
}

void jm_filters_proof(int filters, char proof[JM_PROOF_MAX]) {
  struct stat namespace;
  uint64_t hash = jm_mix_file(UINT64_C(14695981039346656037), "/proc/sys/kernel/random/boot_id");
  if (syscall(SYS_newfstatat, AT_FDCWD, "/proc/self/ns/pid", &namespace, 0) == 0)
    hash = jm_mix(hash, &namespace.st_ino, sizeof namespace.st_ino);
  hash = jm_mix_file(hash, "/proc/self/cgroup");
  snprintf(proof, JM_PROOF_MAX, "%d-%016" PRIx64, filters, hash);
}

int jm_proven_filters(const char *claim) {
  char proof[JM_PROOF_MAX];
  int filters = jm_filters_here();
  if (filters <= 0) return filters;
  /* The number first: under other filters the less is called, the better. */
  if (!claim || atoi(claim) != filters) return JM_FILTERS_UNKNOWN;
  jm_filters_proof(filters, proof);
  return strcmp(claim, proof) == 0 ? filters : JM_FILTERS_UNKNOWN;
}
