import type { Reclaimed, ReclaimVerdict } from '../model/reclaim.js';

const sum = (a: number | undefined, b: number | undefined) =>
  a === undefined && b === undefined ? undefined : (a ?? 0) + (b ?? 0);

const difference = (a: number | undefined, b: number | undefined) =>
  a === undefined || b === undefined ? undefined : a - b;

/** RSS is counted in batches of up to so many pages for each thread: less says nothing. */
const NOISE_BYTES = 256 * 1024;

/** Judges what was measured before and after. `all`: everything unused was ordered back, not only what is past its time. */
export function judgeReclaim({ before, after }: Reclaimed, all: boolean): ReclaimVerdict {
  const unusedBefore = sum(before.dirtyBytes, before.muzzyBytes);
  const returnedBytes = difference(before.residentBytes, after.residentBytes);
  const releasedBytes = difference(unusedBefore, sum(after.dirtyBytes, after.muzzyBytes));
  const verdict = (kind: ReclaimVerdict['kind']) => ({ returnedBytes, releasedBytes, kind });
  if (returnedBytes === undefined || unusedBefore === undefined || releasedBytes === undefined)
    return verdict('unknown');
  if (returnedBytes > NOISE_BYTES) return verdict('returned');
  if (unusedBefore <= NOISE_BYTES) return verdict('nothing-unused');
  if (releasedBytes > NOISE_BYTES) return verdict('refilled');
  if ((difference(after.muzzyBytes, before.muzzyBytes) ?? 0) > NOISE_BYTES) return verdict('became-muzzy');
  return verdict(all ? 'still-there' : 'not-due');
}
