#ifndef JM_ADDON_AGENT_H
#define JM_ADDON_AGENT_H

#include <node_api.h>

/* Adds startAgent, stopAgent and publishNodeFacts. Where there is no agent (not Linux) they are absent. */
void jm_register_agent(napi_env env, napi_value exports);

#endif
