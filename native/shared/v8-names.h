/* V8's functions and structures as jemkit uses them. The names are those of the C++ functions in the node executable's .dynsym; the structures are those of
 * v8-callbacks.h and v8-unwinder.h, the same in V8 11.3, 12.4, 13.6 and 14.6. */
#ifndef JM_V8_NAMES_H
#define JM_V8_NAMES_H

#include <stddef.h>
#include <stdint.h>

#define JM_V8(declaration, mangled) extern declaration __asm__(mangled) __attribute__((weak))

enum jm_v8_event_type {
  JM_V8_ADDED,
  JM_V8_MOVED,
  JM_V8_REMOVED,
  JM_V8_POSITION,
  JM_V8_POSITIONS_START,
  JM_V8_POSITIONS_END,
};
enum jm_v8_code_type { JM_V8_BYTECODE, JM_V8_MACHINE, JM_V8_WASM };

/* v8::JitCodeEvent */
struct jm_v8_event {
  int32_t type, code_type;
  uintptr_t code_start;
  size_t code_length;
  void *script, *user_data, *wasm;
  union {
    struct {
      const char *text;
      size_t length;
    } name;
    struct {
      size_t offset, position;
      /* 0: of an expression or a statement; 1: the same place once more, because a statement begins there */
      int32_t type;
    } line;
    uintptr_t new_start;
  };
  void *isolate;
};

/* v8::RegisterState; its last member owns nothing here. */
struct jm_v8_registers {
  uintptr_t pc, sp, fp, lr;
  void *callee_saved;
};

/* v8::SampleInfo, with room for what later versions add. */
struct jm_v8_sample {
  size_t count;
  uint64_t rest[16];
};

typedef void jm_v8_handler(const struct jm_v8_event *);
typedef void jm_v8_interrupt(void *isolate, void *data);

JM_V8(void *jm_v8_TryGetCurrent(void), "_ZN2v87Isolate13TryGetCurrentEv");
JM_V8(void jm_v8_GetStackSample(void *isolate, const struct jm_v8_registers *, void **frames, size_t limit, struct jm_v8_sample *),
      "_ZN2v87Isolate14GetStackSampleERKNS_13RegisterStateEPPvmPNS_10SampleInfoE");
JM_V8(void jm_v8_SetJitCodeEventHandler(void *isolate, int options, jm_v8_handler *),
      "_ZN2v87Isolate22SetJitCodeEventHandlerENS_19JitCodeEventOptionsEPFvPKNS_12JitCodeEventEE");
JM_V8(void jm_v8_RequestInterrupt(void *isolate, jm_v8_interrupt *, void *data), "_ZN2v87Isolate16RequestInterruptEPFvPS0_PvES2_");
JM_V8(void jm_v8_GetCodeRange(void *isolate, void **start, size_t *length), "_ZN2v87Isolate12GetCodeRangeEPPvPm");
JM_V8(void jm_v8_GetEmbeddedCodeRange(void *isolate, const void **start, size_t *length), "_ZN2v87Isolate20GetEmbeddedCodeRangeEPPKvPm");
JM_V8(void *jm_v8_GetArrayBufferAllocator(void *isolate), "_ZN2v87Isolate23GetArrayBufferAllocatorEv");
JM_V8(const char *jm_v8_GetVersion(void), "_ZN2v82V810GetVersionEv");

#endif
