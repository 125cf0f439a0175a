#include "v8-name.h"

#include <string.h>

static bool begins(const char *text, size_t length, const char *with) {
  size_t size = strlen(with);
  return length >= size && !memcmp(text, with, size);
}

/* ":12" at the end; cuts it off. */
static bool cut_number(const char *text, size_t *length, uint32_t *number) {
  size_t at = *length;
  uint64_t value = 0, unit = 1;
  while (at && text[at - 1] >= '0' && text[at - 1] <= '9' && unit <= 1000000000) {
    value += unit * (unsigned)(text[--at] - '0');
    unit *= 10;
  }
  if (at == *length || !at || text[at - 1] != ':' || value > UINT32_MAX) return false;
  *number = (uint32_t)value;
  *length = at - 1;
  return true;
}

/* "/app/x.js", "node:fs", "file:///app/x.js", "https://…" */
static bool looks_like_script(const char *text, size_t length) {
  if (!length) return false;
  if (*text == '/') return true;
  size_t at = 0;
  while (at < length && ((text[at] | 32) >= 'a' && (text[at] | 32) <= 'z')) at++;
  if (at < 2 || at >= length || text[at] != ':') return false;
  return begins(text, length, "node:") || begins(text + at, length - at, "://");
}

/* Where the script's name begins: behind a blank. */
static size_t find_script(const char *text, size_t length, jm_v8_known_script *known) {
  if (length && *text == ' ') return 1;
  size_t likely = 0, last = 0;
  for (size_t at = 0; at < length; at++) {
    if (text[at] != ' ') continue;
    size_t behind = at + 1;
    if (known && known(text + behind, length - behind)) return behind;
    if (!likely && looks_like_script(text + behind, length - behind)) likely = behind;
    last = behind;
  }
  return likely ? likely : last;
}

static const struct {
  const char *tag;
  uint8_t kind;
} KINDS[] = {
    {"Builtin", JM_KIND_BUILTIN}, {"BytecodeHandler", JM_KIND_BUILTIN}, {"RegExp", JM_KIND_REGEXP},
    {"Stub", JM_KIND_STUB},       {"Handler", JM_KIND_STUB},            {"Callback", JM_KIND_STUB},
};

void jm_v8_parse_name(const char *text, size_t length, jm_v8_known_script *known, struct jm_v8_name *name) {
  *name = (struct jm_v8_name){.kind = JM_KIND_JS, .script = ""};
  size_t tag = 0;
  while (tag < length && ((text[tag] | 32) >= 'a' && (text[tag] | 32) <= 'z')) tag++;
  if (tag && tag < length && text[tag] == ':') {
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
      if (strlen(KINDS[i].tag) == tag && !memcmp(KINDS[i].tag, text, tag)) name->kind = KINDS[i].kind;
    text += tag + 1;
    length -= tag + 1;
  }
  if (name->kind != JM_KIND_JS) {
    name->name = text;
    name->name_length = (uint32_t)length;
    return;
  }
  /* How it was compiled: interpreted ~, baseline ^, Maglev +, TurboFan *; with ' concurrently, with o in front in the middle of a loop. */
  size_t marks = 0;
  if (length > 1 && text[0] == 'o' && (text[1] == '+' || text[1] == '*' || text[1] == '^')) marks = 1;
  if (marks < length && strchr("~^+*", text[marks])) {
    name->optimized = text[marks] == '+' || text[marks] == '*';
    name->maglev = text[marks] == '+';
    name->interpreted = text[marks] == '~';
    marks++;
    if (name->optimized && marks < length && text[marks] == '\'') marks++;
  } else {
    marks = 0;
  }
  text += marks;
  length -= marks;
  size_t whole = length;
  if (!cut_number(text, &length, &name->column) || !cut_number(text, &length, &name->line)) {
    length = whole;
    name->line = name->column = 0;
  }
  size_t script = find_script(text, length, known);
  name->name = text;
  name->name_length = (uint32_t)(script ? script - 1 : length);
  name->script = text + script;
  name->script_length = (uint32_t)(script ? length - script : 0);
}
