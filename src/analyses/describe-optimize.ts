import type { OptimizeOutcome } from '../model/optimize-outcome.js';

const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

function whatCameBack({
  residentBeforeBytes,
  residentAfterBytes,
  returnedBytes,
}: Omit<OptimizeOutcome, 'summary'>): string {
  if (returnedBytes === undefined || residentBeforeBytes === undefined || residentAfterBytes === undefined)
    return 'RSS could not be read';
  if (returnedBytes > 0) return `${mebibytes(returnedBytes)} came back of RSS (${mebibytes(residentAfterBytes)} now)`;
  const rise = residentAfterBytes - residentBeforeBytes;
  return rise > 0
    ? `nothing came back: RSS rose by ${mebibytes(rise)} meanwhile`
    : 'nothing came back: RSS is as before';
}

/** What was done and what came of it, as one sentence. */
export function describeOptimize(outcome: Omit<OptimizeOutcome, 'summary'>): string {
  const { kind, gc, dirtyAfterBytes, muzzyAfterBytes } = outcome;
  const collection = gc === 'unavailable' ? '; V8 does not hand out its garbage collector here' : '';
  const result = `${whatCameBack(outcome)}${collection}`;
  switch (kind) {
    case 'no-jemalloc':
      return `${result}; without jemalloc there is nothing to purge`;
    case 'failed':
      return `${result}; jemalloc refused`;
    case 'decayed': {
      const left = (dirtyAfterBytes ?? 0) + (muzzyAfterBytes ?? 0);
      return left > 0 ? `${result}; ${mebibytes(left)} of unused pages are not due yet` : result;
    }
    default:
      return result;
  }
}
