import type { BufferFacts, NodeFacts } from '../model/node-facts.js';
import type { InsideFacts, ResidentBreakdown, ResidentVerdict } from '../model/resident-breakdown.js';

/** From here on pools are worth a word, as a share of RSS and in bytes. */
const SHARE = 0.15;
const BYTES = 16 * 2 ** 20;
/** Pools that are used to a half are doing their work. */
const USED_SHARE = 0.5;
/** Two counts that are not of the same moment. */
const ROUNDING = 1.03;

const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

const REMEDIES = [
  'copy what is kept for long: const kept = Buffer.allocUnsafeSlow(b.length); b.copy(kept)',
  'or set Buffer.poolSize = 0 before anything else: then each Buffer is an allocation of its own',
];

function countedBuffers(node: NodeFacts): BufferFacts | undefined {
  const counted = node.isolates.flatMap(({ buffers }) => buffers ?? []);
  if (counted.length === 0) return undefined;
  return counted.reduce((a, b) => ({
    atMs: Math.min(a.atMs, b.atMs),
    arrayBuffers: a.arrayBuffers + b.arrayBuffers,
    arrayBuffersBytes: a.arrayBuffersBytes + b.arrayBuffersBytes,
    viewedBytes: a.viewedBytes + b.viewedBytes,
    pools: a.pools + b.pools,
    poolBytes: a.poolBytes + b.poolBytes,
    poolViewedBytes: a.poolViewedBytes + b.poolViewedBytes,
  }));
}

/**
 * Buffers that are kept and were cut from Node's pools: each holds the whole pool. Proven where the views of JavaScript were counted;
 * suspected where jemalloc has many live blocks of a pool's size, which may as well be full of Buffers in use.
 */
export function bufferPoolVerdict(
  breakdown: ResidentBreakdown,
  { node, poolBlocks }: InsideFacts,
): (ResidentVerdict & { readonly bytes: number }) | undefined {
  if (!node) return undefined;
  const worthAWord = (bytes: number) => bytes >= BYTES && bytes >= breakdown.residentBytes * SHARE;
  const poolKib = `${(node.bufferPoolBytes / 1024).toFixed(0)} KiB`;
  const counted = countedBuffers(node);
  if (counted) {
    const bytes = counted.poolBytes - counted.poolViewedBytes;
    if (!worthAWord(bytes) || counted.poolViewedBytes > counted.poolBytes * USED_SHARE) return undefined;
    return {
      kind: 'buffer-pool',
      certainty: 'proven',
      bytes,
      title: `Buffer pool pinning: ${mib(counted.poolViewedBytes)} of small Buffers hold ${mib(counted.poolBytes)} of Buffer pools`,
      evidence: [
        `${counted.pools} living ArrayBuffers of a pool's size (${poolKib}); Buffers cover ${((counted.poolViewedBytes / counted.poolBytes) * 100).toFixed(1)} % of their bytes`,
        'counted in the program: V8 listed every living Buffer and typed array',
      ],
      remedies: REMEDIES,
    };
  }
  const arrayBuffers = node.isolates.reduce((total, isolate) => total + isolate.arrayBuffersBytes, 0);
  // Each pool is an ArrayBuffer: blocks that were all pools would be no more than V8 counts. Buffers of a little less than a pool's size are.
  const tooMany = poolBlocks !== undefined && poolBlocks.count * node.bufferPoolBytes > arrayBuffers * ROUNDING;
  if (
    !poolBlocks ||
    tooMany ||
    !worthAWord(poolBlocks.bytes) ||
    poolBlocks.bytes < arrayBuffers / 2 ||
    arrayBuffers < poolBlocks.bytes / 2
  )
    return undefined;
  return {
    kind: 'buffer-pool',
    certainty: 'suspected',
    bytes: poolBlocks.bytes,
    title: `Buffer pool pinning, perhaps: ${mib(poolBlocks.bytes)} are in living blocks of the size of Node's Buffer pool`,
    evidence: [
      `${poolBlocks.count} living allocations of ${(poolBlocks.bytes / poolBlocks.count / 1024).toFixed(0)} KiB, which is what jemalloc gives for a pool of ${poolKib}; V8 counts ${mib(arrayBuffers)} of ArrayBuffers`,
      'whether they are pools, and how much of each is still used, does not show from outside',
    ],
    remedies: [
      `jem explain ${breakdown.pid} --deep   # counts them in the program, which stands still: 0.4 s for a million objects`,
      ...REMEDIES,
    ],
  };
}
