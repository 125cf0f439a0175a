/* What JavaScript says of its isolates, kept where the agent's thread finds it: each environment publishes its own and need not be asked. */
#ifndef JM_NODE_FACTS_H
#define JM_NODE_FACTS_H

#include <node_api.h>
#include <stdint.h>

#include "server.h"

/* Adds publishNodeFacts, withdrawNodeFacts and nodeCountsAsked. */
void jm_register_node_facts(napi_env env, napi_value exports);

/* The answer to JM_WIRE_NODE, for struct jm_start: one NodeFacts with the isolates of all environments, and the moment of the oldest. */
int32_t jm_node_facts(struct jm_buffer *answer);

/* The answer to JM_WIRE_NODE_COUNT: every environment sees at its next turn that somebody asked. */
int32_t jm_ask_node_count(void);

#endif
