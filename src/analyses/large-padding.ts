import type { InsideFacts } from '../model/resident-breakdown.js';

/**
 * Of the pages that jemalloc calls active, those it adds to large blocks: with `cache_oblivious` (the default) each has one page more than it
 * asked for, so that blocks do not all begin at the same place of a page.
 */
export function largePaddingBytes({ jemalloc, largePadding }: InsideFacts): number {
  if (!jemalloc || largePadding !== true) return 0;
  const { largeAllocations, largeDeallocations, pageBytes } = jemalloc;
  if (largeAllocations === undefined || largeDeallocations === undefined || pageBytes === undefined) return 0;
  return Math.max(0, largeAllocations - largeDeallocations) * pageBytes;
}
