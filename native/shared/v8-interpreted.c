/* Where an interpreted function is stands in two words of its frame: the pointer to its bytecode, and the offset in that, a small integer in the upper half of its
 * word. Which two, is learnt from what V8 says of the same frames. And a place counts only once V8 has given it since the last change of the map, because in
 * a collection, when V8 says nothing, the bytecode may have gone while the frame still points there. */
#include "v8-code.h"
#include "v8-events.h"

enum { FRAMES_TO_LEARN_FROM = 16, FRAMES_AMISS = 64 };

static uintptr_t place_by(unsigned pair, const uintptr_t *words) {
  uintptr_t bytecode = words[pair / JM_V8_FIXED_WORDS], offset = words[pair % JM_V8_FIXED_WORDS];
  return (bytecode & 3) == 1 && !(uint32_t)offset ? bytecode + (offset >> 32) : 0;
}

uint64_t jm_v8_interpreted_frame(struct jm_v8_isolate *isolate, const uintptr_t words[JM_V8_FIXED_WORDS]) {
  struct jm_v8_cache *cache = isolate->cache;
  uint32_t sequence;
  if (!cache || cache->agreed < FRAMES_TO_LEARN_FROM || !jm_v8_map_begin(&isolate->map, &sequence)) return 0;
  uintptr_t pc = place_by((unsigned)__builtin_ctzll(cache->pairs), words);
  const struct jm_v8_found *found = jm_v8_found_at(cache, pc);
  bool told = pc && found->pc == pc && found->sequence == sequence && found->number && !found->interpreter;
  return told ? JM_FRAME_BASE + JM_FRAME_FIRST_CODE + found->number - 1 : 0;
}

void jm_v8_learn_interpreted(struct jm_v8_isolate *isolate, const uintptr_t words[JM_V8_FIXED_WORDS], uintptr_t pc) {
  struct jm_v8_cache *cache = isolate->cache;
  if (!cache || cache->disagreed >= FRAMES_AMISS) return;
  uint64_t fitting = 0;
  for (unsigned pair = 0; pair < JM_V8_FIXED_WORDS * JM_V8_FIXED_WORDS; pair++)
    fitting |= (uint64_t)(place_by(pair, words) == pc) << pair;
  if (cache->agreed) fitting &= cache->pairs;
  cache->agreed = fitting ? cache->agreed + 1 : 0;
  cache->disagreed += !fitting;
  cache->pairs = fitting;
  /* More than one may fit: not learnt before one alone is left. */
  if (cache->agreed >= FRAMES_TO_LEARN_FROM && fitting & (fitting - 1)) cache->agreed = FRAMES_TO_LEARN_FROM - 1;
}
