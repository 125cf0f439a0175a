import type { Finding } from './finding.js';

/** A finding about a part of a MALLOC_CONF string. */
export interface MallocConfFinding extends Finding {
  /** Where the part begins, in UTF-16 units, and how long it is. */
  readonly offset: number;
  readonly length: number;
  /** The option it is about, as written. */
  readonly key?: string;
}

/** One pair of a MALLOC_CONF string in words. */
export interface MallocConfExplanation {
  readonly key: string;
  readonly value: string;
  /** What the pair does, as sentences. */
  readonly sentence: string;
  /** The value without it, for people; undefined where none is known. */
  readonly default: string | undefined;
  /** False where jemalloc ignores the pair. */
  readonly effective: boolean;
}

/** One option for a table: everything as people read it. */
export interface MallocConfOptionSummary {
  readonly name: string;
  /** What its value must look like. */
  readonly value: string;
  readonly default: string | undefined;
  /** `5.3.0`, or `5.3.0 to before 5.4.0`. */
  readonly versions: string;
  readonly doc: string;
  /** Without which it does nothing. */
  readonly requires: string | undefined;
}
