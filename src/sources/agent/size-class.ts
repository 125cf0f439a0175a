import type { MallctlRead } from '../../model/mallctl-outcome.js';
import type { InsideFacts } from '../../model/resident-breakdown.js';

/** Reads one key of the process. */
export type ReadKey = (key: string) => Promise<MallctlRead<unknown>>;

/** The sizes that jemalloc rounds a request up to stand in two lists: small ones (bins) and large ones. */
const LISTS = [
  {
    count: 'arenas.nbins',
    size: (i: number) => `arenas.bin.${i}.size`,
    live: (i: number) => `stats.arenas.4096.bins.${i}.curregs`,
  },
  {
    count: 'arenas.nlextents',
    size: (i: number) => `arenas.lextent.${i}.size`,
    live: (i: number) => `stats.arenas.4096.lextents.${i}.curlextents`,
  },
] as const;

async function numberOf(read: ReadKey, key: string): Promise<number | undefined> {
  const answer = await read(key);
  if (answer.kind !== 'value') return undefined;
  const value = Number(answer.value);
  return Number.isFinite(value) ? value : undefined;
}

/** The first index whose size holds the request: sizes rise. */
async function indexFor(read: ReadKey, count: number, sizeKey: (i: number) => string, bytes: number) {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const size = await numberOf(read, sizeKey(middle));
    if (size === undefined) return undefined;
    if (size < bytes) low = middle + 1;
    else high = middle;
  }
  return low < count ? low : undefined;
}

/**
 * The living allocations of the size class into which a request falls (mallctl `arenas.bin.<i>.size` and `arenas.lextent.<i>.size`, counted by
 * `stats.arenas.4096.*`). Undefined where jemalloc does not say.
 */
export async function readSizeClass(read: ReadKey, requestBytes: number): Promise<InsideFacts['poolBlocks']> {
  for (const list of LISTS) {
    const count = await numberOf(read, list.count);
    const index = count === undefined ? undefined : await indexFor(read, count, list.size, requestBytes);
    if (index === undefined) continue;
    const [size, live] = [await numberOf(read, list.size(index)), await numberOf(read, list.live(index))];
    return size === undefined || live === undefined ? undefined : { count: live, bytes: live * size };
  }
  return undefined;
}
