/* jemalloc's control interface for JavaScript. The instance data of an environment (a worker has its own) are its translated names; they go
 * when the environment goes. */
#ifndef JM_MALLCTL_H
#define JM_MALLCTL_H

#include <node_api.h>

/* Adds mallctlRead, mallctlWrite, mallctlRefresh and openMallctlSampler. */
void jm_register_mallctl(napi_env env, napi_value exports);

/* openMallctlSampler(names: string[], types: number[]): a function that fills a Float64Array, or undefined without jemalloc. */
napi_value jm_open_mallctl_sampler(napi_env env, napi_callback_info info);

#endif
