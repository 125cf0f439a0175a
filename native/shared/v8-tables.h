/* The table that goes with a piece of new code: positions for bytecode, numbers of frames for what the optimizers made. */
#ifndef JM_V8_TABLES_H
#define JM_V8_TABLES_H

#include "v8-isolates.h"
#include "v8-names.h"

/* What V8 tells before it tells of the code. */
void jm_v8_note_place(struct jm_v8_isolate *isolate, size_t offset, size_t position);

/* NULL: nothing is known. Sets JM_CODE_OWN_TABLE and JM_CODE_FRAMES as it applies. `learned`: tables of code told of before could be had now. */
const struct jm_v8_table *jm_v8_table_for(struct jm_v8_isolate *isolate, const struct jm_v8_event *event, const struct jm_v8_name *name, uint32_t number,
                                          uint32_t *flags, bool *learned);

#endif
