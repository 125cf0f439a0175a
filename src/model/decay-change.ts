/** Arenas that had one decay time. */
export interface DecayGroup {
  /** Undefined: arenas that are made from now on. */
  readonly arenas: readonly number[] | undefined;
  readonly beforeMs: number;
}

/** What setting a decay time changed. */
export interface DecayChange {
  readonly pages: 'dirty' | 'muzzy';
  readonly toMs: number;
  readonly groups: readonly DecayGroup[];
}
