#include "agent.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

/* What a variable held before jemkit stands in JEMKIT_SCOPE_<name>: its entry without this prefix is the old entry. */
#define JM_SAVED "JEMKIT_SCOPE_"

static bool jm_is(const char *entry, const char *name) {
  size_t length = strlen(name);
  return strncmp(entry, name, length) == 0 && entry[length] == '=';
}

void jm_scope(const char *program) {
  char self[4096];
  ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
  if (length <= 0) return;
  self[length] = 0;
  /* An interpreter on the way (env, the shell of a shim) must still hand the variables on. */
  if (strcmp(self, program) != 0) return;

  /* Only the array of pointers changes: nothing is allocated, and /proc/PID/environ still shows what the process was started
   * with. unsetenv would not do: bash has its own, which does not know the array yet. */
  char **kept = environ;
  for (char **entry = environ; *entry; entry++) {
    if (jm_is(*entry, "LD_PRELOAD") || jm_is(*entry, "MALLOC_CONF") || jm_is(*entry, "JEMKIT_AGENT") ||
        jm_is(*entry, "JEMKIT_AGENT_FILTERS") || jm_is(*entry, "JEMKIT_SCOPE") || jm_is(*entry, "JEMKIT_PROFILE") ||
        jm_is(*entry, "JEMKIT_PROFILE_AT_EXIT") || jm_is(*entry, "JEMKIT_PROFILE_THREAD_POOL") ||
        jm_is(*entry, "JEMKIT_PROFILE_EXACT_LINES"))
      continue;
    bool saved = strncmp(*entry, JM_SAVED, sizeof JM_SAVED - 1) == 0;
    *kept++ = saved ? *entry + sizeof JM_SAVED - 1 : *entry;
  }
  *kept = NULL;
}
