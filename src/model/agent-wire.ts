/**
 * The numbers of the conversation with an agent: those of `native/shared/wire.h`, where the messages are described; a test holds the
 * two against each other, and both against recorded bytes.
 */
export const WIRE = {
  magic: 0x4b4d454a,
  version: 1,
  headerBytes: 20,
  questionMaxBytes: 16 * 1024,
  answerMaxBytes: 64 * 1024 * 1024,
  selectedMax: 128,
  allArenas: 0xffff_ffff,
} as const;

/** What can be asked. */
export const WIRE_OPERATIONS = {
  hello: 1,
  read: 2,
  write: 3,
  select: 4,
  sample: 5,
  stats: 6,
  decay: 7,
  purge: 8,
  profActive: 9,
  profDump: 10,
  profReset: 11,
  node: 12,
  nodeCount: 13,
  profStart: 14,
  profStop: 15,
  profCapture: 16,
  profState: 17,
} as const;

/** An operation's name. */
export type WireOperation = keyof typeof WIRE_OPERATIONS;

/** The statuses of an answer that are not error numbers of the C library. */
export const WIRE_STATUSES = {
  unknownOperation: -1,
  malformed: -2,
  noJemalloc: -3,
  refused: -4,
  otherVersion: -5,
  tooLarge: -6,
} as const;

/** The bits of the flags of `profStart`. */
export const WIRE_PROF_FLAGS = { threadPool: 1, forget: 2 } as const;

/** The bits of a greeting's flags. */
export const WIRE_FLAGS = { hasJemalloc: 1, profCompiledIn: 2, profEnabled: 4, inAddon: 8 } as const;
