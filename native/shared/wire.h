/* The conversation with an agent, over a Unix stream socket. The client asks, the agent answers in order; every message is a header and
 * `length` bytes. Numbers are little-endian, which all machines we build for are. src/model/agent-wire.ts has the same numbers, and
 * tests/golden/agent-wire holds the bytes: both sides are held against them. Add operations; never change one. */
#ifndef JM_WIRE_H
#define JM_WIRE_H

#include <stdint.h>

/* "JEMK" */
#define JM_WIRE_MAGIC UINT32_C(0x4b4d454a)

/* Raised when a message changes its meaning. A header of any version has this form, so that each side can tell the other's. */
#define JM_WIRE_VERSION 1

/* A question is small: a name, a path. An answer can be all of jemalloc's statistics. */
#define JM_WIRE_QUESTION_MAX (16 * 1024)
#define JM_WIRE_ANSWER_MAX (64 * 1024 * 1024)

struct jm_wire_header {
  uint32_t magic;
  uint16_t version;
  uint16_t operation;
  /* Chosen by the client, and repeated in the answer. */
  uint32_t id;
  /* 0 in a question. In an answer 0, an error number of the C library (what mallctl gave), or one of jm_wire_status; then nothing
   * follows, but after EINVAL to a JM_WIRE_READ a struct jm_wire_value. */
  int32_t status;
  uint32_t length;
};

_Static_assert(sizeof(struct jm_wire_header) == 20, "the header has no padding");

enum jm_wire_status {
  /* The agent does not know the operation: it is older than the client. */
  JM_WIRE_UNKNOWN_OPERATION = -1,
  /* The question has not the form of its operation. */
  JM_WIRE_MALFORMED = -2,
  /* There is no jemalloc in the process. */
  JM_WIRE_NO_JEMALLOC = -3,
  /* Not by way of an agent: it could take the process down. */
  JM_WIRE_REFUSED = -4,
  /* The version of the question's header is not the agent's, which the answer's header has. */
  JM_WIRE_OTHER_VERSION = -5,
  /* The answer would be larger than there is memory for, or than JM_WIRE_ANSWER_MAX. */
  JM_WIRE_TOO_LARGE = -6,
};

enum jm_wire_operation {
  /* () -> struct jm_wire_hello, then two texts that end in 0: jemkit's version, jemalloc's (empty: none). */
  JM_WIRE_HELLO = 1,
  /* (u8 type, u8 refresh, u16 0, name to the end) -> (struct jm_wire_value, the bytes of the value; a text without its final 0).
   * `refresh` takes new statistics first. */
  JM_WIRE_READ = 2,
  /* (u8 type, u8 old_type, u16 name length, name, the bytes of the value; a text with its final 0; nothing: a bare write) -> as
   * JM_WIRE_READ the value before; nothing where old_type is JM_MALLCTL_VOID. */
  JM_WIRE_WRITE = 3,
  /* (u16 count, then count times: u8 type, u8 name length, name) -> (). What JM_WIRE_SAMPLE of this connection reads; at most
   * JM_WIRE_SELECTED_MAX. */
  JM_WIRE_SELECT = 4,
  /* () -> (u64 monotonic ns, f64 per selected name; NaN: this jemalloc does not have it). New statistics are taken first. */
  JM_WIRE_SAMPLE = 5,
  /* (the options of malloc_stats_print, a text) -> the text that it writes; without single arenas where the program destroys arenas. */
  JM_WIRE_STATS = 6,
  /* (u32 arena, or JM_WIRE_ALL_ARENAS) -> (). Pages past their time, or all unused ones, go back to the system. */
  JM_WIRE_DECAY = 7,
  JM_WIRE_PURGE = 8,
  /* (u8 on) -> (u8 before) */
  JM_WIRE_PROF_ACTIVE = 9,
  /* (an absolute path; empty: jemalloc's own naming) -> () */
  JM_WIRE_PROF_DUMP = 10,
  /* (i64 lg_sample; -1: as it is) -> () */
  JM_WIRE_PROF_RESET = 11,
  /* () -> (u64 monotonic ns of the moment, JSON): what JavaScript in the process last said about its isolates. ENOENT: nothing. */
  JM_WIRE_NODE = 12,
  /* () -> (). Asks JavaScript in the process to count its ArrayBuffers, for which it stands still; what it finds is in a later answer to
   * JM_WIRE_NODE. ENOENT: nobody there who could. */
  JM_WIRE_NODE_COUNT = 13,
  /* (i64 lg_sample, -1: as it is; u8 flags of enum jm_wire_prof_flag) -> (). Samples from now on, with jemkit's walk of stacks where jemalloc has a hook for
   * it. EALREADY: somebody does; ENOENT: jemalloc was not started with prof:true. */
  JM_WIRE_PROF_START = 14,
  /* () -> (). Back to what was before JM_WIRE_PROF_START. */
  JM_WIRE_PROF_STOP = 15,
  /* (an absolute path, where nothing is yet) -> (u64 bytes of the file, docs/capture-format.md). EBUSY: another one is being written. */
  JM_WIRE_PROF_CAPTURE = 16,
  /* () -> JSON: compiledIn, enabled, active, unwinder ("none", "jemalloc", "jemkit"), why, lgSample, threadPool, startedNs (monotonic; 0: nobody
   * has), samples, truncated, withoutJavascript, isolatesListening, codeEvents, framesNumbered, memoryBytes. */
  JM_WIRE_PROF_STATE = 17,
};

enum jm_wire_prof_flag {
  /* Work of libuv's thread pool gets the stack of who asked for it. */
  JM_WIRE_PROF_THREAD_POOL = 1,
  /* Forgets what was sampled before. */
  JM_WIRE_PROF_FORGET = 2,
};

#define JM_WIRE_ALL_ARENAS UINT32_MAX
#define JM_WIRE_SELECTED_MAX 128

struct jm_wire_hello {
  /* As the process sees itself. */
  uint32_t pid;
  uint32_t flags;
  /* CLOCK_MONOTONIC of the agent's start and of now. */
  uint64_t started_ns;
  uint64_t now_ns;
};

enum jm_wire_flag {
  JM_WIRE_HAS_JEMALLOC = 1,
  JM_WIRE_PROF_COMPILED_IN = 2,
  /* opt.prof */
  JM_WIRE_PROF_ENABLED = 4,
  /* The agent is part of jemkit's addon in a Node process, not preloaded. */
  JM_WIRE_IN_ADDON = 8,
};

struct jm_wire_value {
  /* enum jm_mallctl_type */
  uint8_t type;
  /* A text that is NULL. */
  uint8_t is_null;
  uint16_t reserved;
  /* With status EINVAL: the size that jemalloc says the value has, or 0. */
  uint32_t true_size;
};

#endif
