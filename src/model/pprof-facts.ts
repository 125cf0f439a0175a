import type { CaptureFacts } from './heap-profile.js';

/** What jemkit writes into a pprof file beside what pprof has fields for. Which capture it was stands in a comment, as JSON. */
export const PPROF_CAPTURE_PREFIX = 'jemkit ';

/**
 * The rest is JSON too, in a string that nothing refers to: `go tool pprof` prints all comments above its tables, and this may be long. A
 * program that saves the file anew drops it.
 */
export const PPROF_DETAILS_PREFIX = 'jemkit details ';

export type PprofCapture = Omit<CaptureFacts, 'statistics' | 'sizeClasses'>;

export interface PprofDetails extends Partial<Pick<CaptureFacts, 'statistics' | 'sizeClasses'>> {
  /** That of the frames; where another program has renumbered them, what follows does not count. */
  readonly checksum: number;
  /** The code of FRAME_KINDS of each function, as a letter from `a` on. */
  readonly functionKinds: string;
  /** Where functions begin on their line: [id, column]. Files of earlier versions have none. */
  readonly functionColumns?: ReadonlyArray<readonly [number, number]>;
  /** The code of FRAME_KINDS of each location without a function: [id, code]. */
  readonly locationKinds: ReadonlyArray<readonly [number, number]>;
  /** Character positions: [location's id, line's index, position]. */
  readonly positions: ReadonlyArray<readonly [number, number, number]>;
  /** Locations whose outermost function is inlined too, its caller being another location. */
  readonly inlinedLocations: readonly number[];
}

/** A checksum over functions and locations in the order of their ids. */
export function openPprofChecksum(): { text(text: string): void; number(value: number): void; value(): number } {
  let hash = 0x811c9dc5;
  const byte = (value: number) => {
    hash = Math.imul(hash ^ value, 0x01000193);
  };
  return {
    text(text) {
      for (let at = 0; at < text.length; at++) byte(text.charCodeAt(at));
      byte(0x10000);
    },
    number(value) {
      byte(value | 0);
      byte((value / 4294967296) | 0);
    },
    value: () => hash >>> 0,
  };
}
