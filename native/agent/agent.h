#ifndef JM_AGENT_H
#define JM_AGENT_H

/* Answers the questions in JEMKIT_PROBE about this process's allocator and ends the process before its main. */
void jm_probe(const char *questions);

/* Takes jemkit's variables out of the environment of the program named in JEMKIT_SCOPE, so that what it starts is free of them. */
void jm_scope(const char *program);

/* Gives this process an agent, if JEMKIT_AGENT's value wishes it and it can do no harm; the claim is that of JEMKIT_AGENT_FILTERS. */
void jm_observe(const char *wish, const char *claim);

/* What JEMKIT_PROFILE, JEMKIT_PROFILE_AT_EXIT and JEMKIT_PROFILE_THREAD_POOL wish: jemkit's walk of stacks from the start on; a capture at the end; work of
 * libuv's thread pool put down to who asked for it. */
void jm_profile(const char *wish, const char *at_exit, const char *thread_pool);

/* Writes to stdout whether an agent can act under the system call filters of this process; nothing where there are none. */
void jm_trial(void);

/* The value of a variable in environ, or NULL. Not getenv: bash and others have one of their own that is not ready yet. */
const char *jm_variable(const char *name);

#endif
