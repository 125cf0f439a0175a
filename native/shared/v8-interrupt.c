#include "v8-interrupt.h"

#include <stdint.h>
#include <string.h>

#include "unwind-stack.h"
#include "v8-names.h"

/* The function has 750 bytes in the longest of the known versions. What lies behind it only makes us wait for the next sample. */
enum { FUNCTION = 1024, STACK = 32 << 10 };

static uintptr_t start;

/* The exported function only jumps to the one that does the work. */
bool jm_v8_find_interrupt(void) {
  const uint8_t *code = (const uint8_t *)(uintptr_t)jm_v8_RequestInterrupt;
#if defined(__x86_64__)
  /* push %rbp; mov %rsp,%rbp; pop %rbp */
  static const uint8_t FRAME[] = {0x55, 0x48, 0x89, 0xe5, 0x5d};
  /* endbr64 */
  static const uint8_t LANDING[] = {0xf3, 0x0f, 0x1e, 0xfa};
  if (!memcmp(code, LANDING, sizeof LANDING)) code += sizeof LANDING;
  if (!memcmp(code, FRAME, sizeof FRAME)) code += sizeof FRAME;
  if (*code != 0xe9) return false;
  int32_t distance;
  memcpy(&distance, code + 1, sizeof distance);
  start = (uintptr_t)(code + 5) + (uintptr_t)(intptr_t)distance;
  return true;
#elif defined(__aarch64__)
  uint32_t instruction;
  memcpy(&instruction, code, sizeof instruction);
  /* bti c */
  if (instruction == 0xd503245f) memcpy(&instruction, code += 4, sizeof instruction);
  if (instruction >> 26 != 5) return false;
  int32_t words = (int32_t)(instruction << 6) >> 6;
  start = (uintptr_t)code + (uintptr_t)((intptr_t)words * 4);
  return true;
#else
  (void)code;
  return false;
#endif
}

bool jm_v8_outside_of_interrupt(void) {
  if (!start) return false;
  uintptr_t at = (uintptr_t)__builtin_frame_address(0), word;
  struct jm_stack stack = jm_stack_at(at);
  for (uintptr_t end = at + STACK; at < end; at += sizeof word) {
    /* The stack may end sooner; where that cannot be told, nothing was seen. */
    if (!jm_stack_read(&stack, at, &word)) return jm_stack_answers();
    if (word - start < FUNCTION) return false;
  }
  return true;
}
