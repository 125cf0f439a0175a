/* The preloaded helper library. It does nothing unless one of its variables is set, and it exports one symbol, for
 * jemkit's addon. */
#include "agent.h"

#include <stddef.h>
#include <string.h>

extern char **environ;

const char *jm_variable(const char *name) {
  size_t length = strlen(name);
  for (char **entry = environ; entry && *entry; entry++)
    if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=') return *entry + length + 1;
  return NULL;
}

__attribute__((constructor)) static void jm_start(void) {
  const char *questions = jm_variable("JEMKIT_PROBE");
  if (questions) jm_probe(questions);
  const char *wish = jm_variable("JEMKIT_AGENT");
  const char *claim = jm_variable("JEMKIT_AGENT_FILTERS");
  const char *program = jm_variable("JEMKIT_SCOPE");
  const char *profile = jm_variable("JEMKIT_PROFILE"), *at_exit = jm_variable("JEMKIT_PROFILE_AT_EXIT");
  if (profile || at_exit) jm_profile(profile, at_exit, jm_variable("JEMKIT_PROFILE_THREAD_POOL"));
  if (program) jm_scope(program);
  if (wish) jm_observe(wish, claim);
}
