#ifndef JM_ADDON_PROFILER_H
#define JM_ADDON_PROFILER_H

#include <node_api.h>

/* Adds profilerStart, profilerStop, profilerCapture, profilerState, profilerListen and profilerStopListening. */
void jm_register_profiler(napi_env env, napi_value exports);

#endif
