/* The text in which V8 names a piece of code: "JS:^loadCatalog file:///app/server.js:40:10". */
#ifndef JM_V8_NAME_H
#define JM_V8_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum jm_v8_kind { JM_KIND_JS, JM_KIND_BUILTIN, JM_KIND_REGEXP, JM_KIND_WASM, JM_KIND_STUB, JM_KIND_MARKER };

struct jm_v8_name {
  const char *name, *script;
  uint32_t name_length, script_length;
  /* From 1; 0: not told. */
  uint32_t line, column;
  uint8_t kind;
  /* Made by one of the compilers that fold other functions in. */
  bool optimized;
  /* By Maglev, whose positions are those of a statement nearby. */
  bool maglev;
  bool interpreted;
};

/* Whether a script of this name is known: function names and script names may both hold blanks, and a blank is all that is between them. */
typedef bool jm_v8_known_script(const char *text, size_t length);

void jm_v8_parse_name(const char *text, size_t length, jm_v8_known_script *known, struct jm_v8_name *name);

#endif
