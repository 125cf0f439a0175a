/** How near the memory limit is. */
export type PressureLevel = 'none' | 'elevated' | 'high' | 'critical';

/** The levels in rising order. */
export const PRESSURE_LEVELS: readonly PressureLevel[] = ['none', 'elevated', 'high', 'critical'];

/** What the ladder can do, mildest first. */
export type PressureRung = 'decay' | 'purge' | 'collect' | 'dump' | 'handler';

/** The rungs in the order in which they are climbed. */
export const PRESSURE_RUNGS: readonly PressureRung[] = ['decay', 'purge', 'collect', 'dump', 'handler'];

/** The limit that counts, and what is used of it: never page cache, which the kernel takes back by itself. */
export interface MemoryHeadroom {
  readonly limitBytes: number;
  readonly usedBytes: number;
  /** `group`: a control group's limit and its anonymous and kernel memory. `user`: the limit set by the user and this process's anonymous memory. */
  readonly source: 'group' | 'user';
  /** Which limit it is, in words: `limit of the control group /pod7/web`. */
  readonly measured: string;
}

/** One line of a PSI file: the share of time (0 to 100) in which tasks waited for memory. */
export interface StallShare {
  readonly avg10: number;
  readonly avg60: number;
  readonly avg300: number;
  /** Microseconds so far. */
  readonly totalMicroseconds: number;
}

/** A PSI file (`memory.pressure`, `/proc/pressure/memory`). */
export interface MemoryStall {
  /** At least one task waited. */
  readonly some: StallShare | undefined;
  /** All of them waited. */
  readonly full: StallShare | undefined;
}

/** What the ladder looks at in one step. What is not known is undefined. */
export interface PressureObservation {
  readonly monotonicMs: number;
  /** Undefined where there is no limit: then there is no pressure either. */
  readonly headroom: MemoryHeadroom | undefined;
  readonly stall: MemoryStall | undefined;
  /** Whose stall it is: the group's says more about this process than the machine's. */
  readonly stallOf: 'group' | 'machine' | undefined;
  /** jemalloc's dirty and muzzy bytes: what a purge can give back. */
  readonly undecayedBytes: number | undefined;
  /** V8's heap and what hangs on it: what a collection works on. */
  readonly v8Bytes: number | undefined;
}

/** How a rung ended. */
export type RungOutcome =
  | { readonly kind: 'done'; readonly detail?: string | undefined }
  /** It cannot work in this process: `reason` says why. */
  | { readonly kind: 'unavailable'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string };

/** Everything the ladder does is one of these. */
export type PressureEvent = PressureLevelEvent | PressureRungEvent;

/** The level changed. Each rise from `none` is followed by a fall to `none` at the latest when the ladder is closed. */
export interface PressureLevelEvent {
  readonly kind: 'level';
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly from: PressureLevel;
  readonly level: PressureLevel;
  readonly reason: string;
  readonly usedBytes: number | undefined;
  readonly limitBytes: number | undefined;
}

/** A rung was climbed. */
export interface PressureRungEvent {
  readonly kind: 'rung';
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly level: PressureLevel;
  readonly rung: PressureRung;
  readonly reason: string;
  readonly outcome: RungOutcome;
  /** Resident memory of this process before and after. */
  readonly beforeBytes: number | undefined;
  readonly afterBytes: number | undefined;
}

/** What the user's handler is told. */
export interface PressureSignal {
  /** `begin` once per time of pressure, `change` when the level changes in it, `end` when it is over: always, if it began. */
  readonly kind: 'begin' | 'change' | 'end';
  readonly level: PressureLevel;
  readonly reason: string;
  readonly usedBytes: number | undefined;
  readonly limitBytes: number | undefined;
}
