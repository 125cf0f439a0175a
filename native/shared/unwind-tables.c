/* Reads call frame information (.eh_frame; the Linux Standard Base, and DWARF 4, 6.4). Only what a walk by stack pointer, frame pointer and return
 * address needs is followed; whatever else is met gives no row. */
#include "unwind-tables.h"

#include <stdbool.h>
#include <string.h>

#if defined(__x86_64__)
enum { JM_REG_FRAME = 6, JM_REG_STACK = 7, JM_REG_RETURN = 16 };
#else
enum { JM_REG_FRAME = 29, JM_REG_STACK = 31, JM_REG_RETURN = 30 };
#endif

/* How a pointer is written: DW_EH_PE_. */
enum { JM_PE_UDATA2 = 2, JM_PE_UDATA4 = 3, JM_PE_UDATA8 = 4, JM_PE_SDATA2 = 10, JM_PE_SDATA4 = 11, JM_PE_SDATA8 = 12 };
enum { JM_PE_RELATIVE = 0x10, JM_PE_DATA_RELATIVE = 0x30, JM_PE_OMITTED = 0xff };
enum { JM_OP_DEREF = 0x06, JM_OP_BREG0 = 0x70 };

#define JM_REMEMBERED_MAX 8
/* No compiler writes longer ones. */
#define JM_ENTRY_MAX (1u << 20)

/* A place in a table; `bad` once something did not fit. */
struct jm_reader {
  uintptr_t at, end;
  bool bad;
};

static uint64_t jm_take(struct jm_reader *from, size_t size) {
  uint64_t value = 0;
  if (from->bad || from->end - from->at < size) {
    from->bad = true;
    return 0;
  }
  memcpy(&value, (const void *)from->at, size);
  from->at += size;
  return value;
}

static void jm_skip(struct jm_reader *from, uint64_t size) {
  if (from->bad || from->end - from->at < size) from->bad = true;
  else from->at += size;
}

static uint64_t jm_take_uleb(struct jm_reader *from) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    uint64_t byte = jm_take(from, 1);
    value |= (byte & 0x7f) << shift;
    if (!(byte & 0x80)) return value;
  }
  from->bad = true;
  return 0;
}

static int64_t jm_take_sleb(struct jm_reader *from) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64;) {
    uint64_t byte = jm_take(from, 1);
    value |= (byte & 0x7f) << shift;
    shift += 7;
    if (byte & 0x80) continue;
    if ((byte & 0x40) && shift < 64) value |= ~UINT64_C(0) << shift;
    return (int64_t)value;
  }
  from->bad = true;
  return 0;
}

static uintptr_t jm_take_pointer(struct jm_reader *from, uint8_t encoding, uintptr_t data) {
  uintptr_t here = from->at, value = 0;
  switch (encoding & 0x0f) {
    case 0:
    case JM_PE_UDATA8:
    case JM_PE_SDATA8: value = jm_take(from, 8); break;
    case JM_PE_UDATA4: value = jm_take(from, 4); break;
    case JM_PE_SDATA4: value = (uintptr_t)(int64_t)(int32_t)jm_take(from, 4); break;
    case JM_PE_UDATA2: value = jm_take(from, 2); break;
    case JM_PE_SDATA2: value = (uintptr_t)(int64_t)(int16_t)jm_take(from, 2); break;
    default: from->bad = true;
  }
  switch (encoding & 0xf0) {
    case 0: break;
    case JM_PE_RELATIVE: value += here; break;
    case JM_PE_DATA_RELATIVE: value += data; break;
    default: from->bad = true;
  }
  return value;
}

struct jm_common {
  struct jm_reader instructions;
  uint64_t code_factor;
  int64_t data_factor;
  uint8_t encoding;
  bool augmented, signal;
};

static struct jm_common jm_read_common(uintptr_t at, struct jm_span span) {
  struct jm_common common = {.encoding = 0};
  struct jm_reader from = {.at = at, .end = span.end};
  uint64_t length = jm_take(&from, 4);
  if (length == 0 || length > JM_ENTRY_MAX || length > from.end - from.at) from.bad = true;
  else from.end = from.at + length;
  if (jm_take(&from, 4) != 0) from.bad = true;
  uint64_t version = jm_take(&from, 1);
  char augmentation[8] = "";
  for (size_t i = 0; i < sizeof augmentation; i++)
    if (!(augmentation[i] = (char)jm_take(&from, 1))) break;
  if (augmentation[sizeof augmentation - 1] || (version != 1 && version != 3 && version != 4)) from.bad = true;
  if (version == 4) jm_skip(&from, 2);
  common.code_factor = jm_take_uleb(&from);
  common.data_factor = jm_take_sleb(&from);
  uint64_t return_register = version == 1 ? jm_take(&from, 1) : jm_take_uleb(&from);
  if (return_register != JM_REG_RETURN) from.bad = true;
  common.augmented = augmentation[0] == 'z';
  if (augmentation[0] && !common.augmented) from.bad = true;
  if (common.augmented && !from.bad) {
    uint64_t size = jm_take_uleb(&from);
    struct jm_reader data = from;
    jm_skip(&from, size);
    for (const char *letter = augmentation + 1; *letter && !from.bad; letter++) {
      if (*letter == 'R') common.encoding = (uint8_t)jm_take(&data, 1);
      else if (*letter == 'L') jm_skip(&data, 1);
      else if (*letter == 'S') common.signal = true;
      else if (*letter == 'P') {
        uint8_t encoding = (uint8_t)jm_take(&data, 1);
        jm_take_pointer(&data, encoding & 0x0f, 0);
      } else if (*letter != 'B') break;
    }
    if (data.bad) from.bad = true;
  }
  common.instructions = from;
  return common;
}

enum jm_rule { JM_SAME, JM_AT_CFA, JM_AT_FRAME, JM_UNDEFINED, JM_OTHERWISE };

struct jm_saved {
  enum jm_rule rule;
  int64_t offset;
};

struct jm_program {
  uint8_t cfa_kind;
  int64_t cfa_offset;
  struct jm_saved frame, ra;
};

static struct jm_saved *jm_of(struct jm_program *state, uint64_t number) {
  return number == JM_REG_FRAME ? &state->frame : number == JM_REG_RETURN ? &state->ra : NULL;
}

static void jm_set(struct jm_program *state, uint64_t number, enum jm_rule rule, int64_t offset) {
  struct jm_saved *saved = jm_of(state, number);
  if (saved) *saved = (struct jm_saved){rule, offset};
}

static void jm_define(struct jm_program *state, uint64_t number) {
  state->cfa_kind = number == JM_REG_STACK ? JM_ROW_STACK : number == JM_REG_FRAME ? JM_ROW_FRAME : JM_ROW_NONE;
}

/* Of expressions, the two that compilers write for a function that aligns its stack: `frame pointer + n`, and what is in memory there. */
static bool jm_take_frame_expression(struct jm_reader *from, int64_t *offset, bool *memory) {
  uint64_t length = jm_take_uleb(from);
  struct jm_reader block = *from;
  jm_skip(from, length);
  if (from->bad) return false;
  block.end = block.at + length;
  bool simple = jm_take(&block, 1) == JM_OP_BREG0 + JM_REG_FRAME;
  *offset = simple ? jm_take_sleb(&block) : 0;
  *memory = simple && block.at < block.end;
  if (*memory) simple = jm_take(&block, 1) == JM_OP_DEREF;
  return simple && !block.bad && block.at == block.end;
}

/* Runs instructions up to the address `until`, from `*at` on. */
static void jm_run(const struct jm_common *common, struct jm_reader code, uintptr_t *at, uintptr_t until, struct jm_program *state,
                   bool *bad) {
  const struct jm_program initial = *state;
  struct jm_program remembered[JM_REMEMBERED_MAX];
  unsigned depth = 0;
  while (code.at < code.end && !code.bad && *at <= until) {
    uint8_t byte = (uint8_t)jm_take(&code, 1);
    uint64_t number = byte & 0x3f, advance = 0;
    int64_t offset;
    bool memory;
    struct jm_saved *saved;
    switch (byte & 0xc0) {
      case 0x40: *at += number * common->code_factor; continue;
      case 0x80: jm_set(state, number, JM_AT_CFA, (int64_t)jm_take_uleb(&code) * common->data_factor); continue;
      case 0xc0:
        saved = jm_of(state, number);
        if (saved) *saved = number == JM_REG_FRAME ? initial.frame : initial.ra;
        continue;
      default: break;
    }
    switch (byte) {
      case 0x00: break; /* nop */
      case 0x01: *at = jm_take_pointer(&code, common->encoding, 0); break; /* set_loc */
      case 0x02: advance = jm_take(&code, 1); break;
      case 0x03: advance = jm_take(&code, 2); break;
      case 0x04: advance = jm_take(&code, 4); break;
      case 0x05: /* offset_extended */
        number = jm_take_uleb(&code);
        jm_set(state, number, JM_AT_CFA, (int64_t)jm_take_uleb(&code) * common->data_factor);
        break;
      case 0x06: /* restore_extended */
        number = jm_take_uleb(&code);
        saved = jm_of(state, number);
        if (saved) *saved = number == JM_REG_FRAME ? initial.frame : initial.ra;
        break;
      case 0x07: jm_set(state, jm_take_uleb(&code), JM_UNDEFINED, 0); break;
      case 0x08: jm_set(state, jm_take_uleb(&code), JM_SAME, 0); break;
      case 0x09: /* register */
        jm_set(state, jm_take_uleb(&code), JM_OTHERWISE, 0);
        jm_take_uleb(&code);
        break;
      case 0x0a: /* remember_state */
        if (depth == JM_REMEMBERED_MAX) code.bad = true;
        else remembered[depth++] = *state;
        break;
      case 0x0b: /* restore_state */
        if (depth == 0) code.bad = true;
        else *state = remembered[--depth];
        break;
      case 0x0c: /* def_cfa */
        jm_define(state, jm_take_uleb(&code));
        state->cfa_offset = (int64_t)jm_take_uleb(&code);
        break;
      case 0x0d: jm_define(state, jm_take_uleb(&code)); break;
      case 0x0e: state->cfa_offset = (int64_t)jm_take_uleb(&code); break;
      case 0x0f: /* def_cfa_expression */
        memory = false;
        offset = 0;
        state->cfa_kind = !jm_take_frame_expression(&code, &offset, &memory) ? JM_ROW_NONE : memory ? JM_ROW_MEMORY : JM_ROW_FRAME;
        state->cfa_offset = offset;
        break;
      case 0x10: /* expression */
        number = jm_take_uleb(&code);
        memory = false;
        offset = 0;
        jm_set(state, number, jm_take_frame_expression(&code, &offset, &memory) && !memory ? JM_AT_FRAME : JM_OTHERWISE, offset);
        break;
      case 0x11: /* offset_extended_sf */
        number = jm_take_uleb(&code);
        jm_set(state, number, JM_AT_CFA, jm_take_sleb(&code) * common->data_factor);
        break;
      case 0x12: /* def_cfa_sf */
        jm_define(state, jm_take_uleb(&code));
        state->cfa_offset = jm_take_sleb(&code) * common->data_factor;
        break;
      case 0x13: state->cfa_offset = jm_take_sleb(&code) * common->data_factor; break;
      case 0x14: /* val_offset */
      case 0x15: /* val_offset_sf */
        jm_set(state, jm_take_uleb(&code), JM_OTHERWISE, 0);
        jm_take_uleb(&code);
        break;
      case 0x16: /* val_expression */
        jm_set(state, jm_take_uleb(&code), JM_OTHERWISE, 0);
        jm_skip(&code, jm_take_uleb(&code));
        break;
      case 0x2d: break; /* AARCH64_negate_ra_state: signed addresses are stripped anyway */
      case 0x2e: jm_take_uleb(&code); break; /* GNU_args_size */
      default: code.bad = true;
    }
    *at += advance * common->code_factor;
  }
  if (code.bad) *bad = true;
}

/* The entry with the last beginning that is not above `pc`; 0: none. */
static uintptr_t jm_find_entry(uintptr_t header, struct jm_span span, uintptr_t pc) {
  struct jm_reader from = {.at = header, .end = span.end};
  uint64_t version = jm_take(&from, 1);
  uint8_t frame_encoding = (uint8_t)jm_take(&from, 1), count_encoding = (uint8_t)jm_take(&from, 1),
          table_encoding = (uint8_t)jm_take(&from, 1);
  if (version != 1 || count_encoding == JM_PE_OMITTED || table_encoding != (JM_PE_DATA_RELATIVE | JM_PE_SDATA4)) return 0;
  jm_take_pointer(&from, frame_encoding, header);
  uint64_t count = jm_take_pointer(&from, count_encoding, header);
  if (from.bad || count == 0 || (from.end - from.at) / 8 < count) return 0;
  const unsigned char *table = (const unsigned char *)from.at;
  size_t low = 0, high = count;
  int32_t pair[2];
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    memcpy(pair, table + middle * 8, sizeof pair);
    if (header + (uintptr_t)(intptr_t)pair[0] <= pc) low = middle + 1;
    else high = middle;
  }
  if (low == 0) return 0;
  memcpy(pair, table + (low - 1) * 8, sizeof pair);
  return header + (uintptr_t)(intptr_t)pair[1];
}

static bool jm_fits(int64_t offset) { return offset > -(1 << 21) && offset < 1 << 21 && offset % 8 == 0; }

static struct jm_row jm_to_row(const struct jm_program *state) {
  struct jm_row row = {.kind = JM_ROW_NONE};
  if (state->ra.rule == JM_UNDEFINED) row.kind = JM_ROW_END;
  if (row.kind == JM_ROW_END || state->cfa_kind == JM_ROW_NONE || !jm_fits(state->cfa_offset)) return row;
  bool saved = state->frame.rule == JM_AT_CFA || state->frame.rule == JM_AT_FRAME;
  int64_t frame = saved ? state->frame.offset : 0, ra = state->ra.rule == JM_AT_CFA ? state->ra.offset : 0;
  if (!jm_fits(frame) || !jm_fits(ra) || state->ra.rule > JM_AT_CFA || (state->ra.rule == JM_SAME && JM_REG_RETURN == 16)) return row;
  row = (struct jm_row){.kind = state->cfa_kind,
                        .saved_at_frame = state->frame.rule == JM_AT_FRAME,
                        .cfa = (int32_t)state->cfa_offset,
                        .saved = (int32_t)frame,
                        .ra = (int32_t)ra};
  return row;
}

struct jm_row jm_read_table(uintptr_t header, struct jm_span span, uintptr_t pc) {
  struct jm_row none = {.kind = JM_ROW_NONE};
  if (header < span.start || header >= span.end) return none;
  uintptr_t entry = jm_find_entry(header, span, pc);
  if (entry < span.start || entry >= span.end) return none;
  struct jm_reader from = {.at = entry, .end = span.end};
  uint64_t length = jm_take(&from, 4);
  if (from.bad || length == 0 || length > JM_ENTRY_MAX || length > from.end - from.at) return none;
  from.end = from.at + length;
  uintptr_t here = from.at;
  uint64_t back = jm_take(&from, 4);
  if (from.bad || back == 0 || back > here - span.start) return none;
  struct jm_common common = jm_read_common(here - back, span);
  if (common.instructions.bad) return none;
  uintptr_t start = jm_take_pointer(&from, common.encoding, header);
  uintptr_t size = jm_take_pointer(&from, common.encoding & 0x0f, 0);
  if (common.augmented) jm_skip(&from, jm_take_uleb(&from));
  if (from.bad || pc < start || pc - start >= size) return none;
  if (common.signal) return (struct jm_row){.kind = JM_ROW_SIGNAL};

  struct jm_program state = {.cfa_kind = JM_ROW_NONE};
  uintptr_t at = 0;
  bool bad = false;
  jm_run(&common, common.instructions, &at, 0, &state, &bad);
  at = start;
  jm_run(&common, from, &at, pc, &state, &bad);
  return bad ? none : jm_to_row(&state);
}
