import type { MallocConfPair } from '../model/malloc-conf.js';
import type { MallocConfFinding } from '../model/malloc-conf-report.js';

/** The part of a string that a finding is about. */
export type Part = Pick<MallocConfFinding, 'offset' | 'length' | 'key'>;

export const wholePair = (pair: MallocConfPair): Part => ({
  offset: pair.offset,
  length: pair.end - pair.offset,
  key: pair.key,
});
export const keyOf = (pair: MallocConfPair): Part => ({ offset: pair.offset, length: pair.key.length, key: pair.key });
export const valuePart = (pair: MallocConfPair): Part => ({
  offset: pair.valueOffset,
  length: pair.end - pair.valueOffset,
  key: pair.key,
});
