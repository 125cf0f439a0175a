/** A process's memory around an order to give some back. All in bytes; what could not be read is undefined. */
export interface ReclaimFigures {
  readonly residentBytes: number | undefined;
  /** Unused pages of the arena that was meant, or of all, that were not given back yet. */
  readonly dirtyBytes: number | undefined;
  readonly muzzyBytes: number | undefined;
  /** Of all arenas: what the program holds, and the pages that takes. */
  readonly allocatedBytes: number | undefined;
  readonly activeBytes: number | undefined;
}

/** What an order to give memory back did. */
export interface Reclaimed {
  readonly pid: number;
  /** Undefined: all. */
  readonly arena: number | undefined;
  readonly before: ReclaimFigures;
  readonly after: ReclaimFigures;
  readonly tookMs: number;
}

/** What an order to give memory back came to. */
export interface ReclaimVerdict {
  /** How far RSS fell; below 0 where it rose. */
  readonly returnedBytes: number | undefined;
  /** How much less unused memory jemalloc keeps. */
  readonly releasedBytes: number | undefined;
  /**
   * `returned`: RSS fell. `nothing-unused`: there was nothing to give. `not-due`: there is, and its time has not come. `became-muzzy`: the
   * kernel may take the pages, and has not. `refilled`: jemalloc gave some back, and RSS did not fall with it. `still-there`: all was
   * ordered back, and there is as much again.
   */
  readonly kind: 'returned' | 'nothing-unused' | 'not-due' | 'became-muzzy' | 'refilled' | 'still-there' | 'unknown';
}
