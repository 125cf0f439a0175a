import type {
  AllocationStats,
  AllocatorStats,
  ArenaStats,
  BinStats,
  DecaySettings,
  ExtentStats,
  LargeExtentStats,
  MutexStats,
  NumberedArena,
  PurgeStats,
  StatsSettings,
} from '../../model/allocator-stats.js';
import { compareJemallocVersions, parseJemallocVersion } from '../../model/jemalloc-version.js';
import {
  childOf,
  elementsOf,
  entriesOf,
  numberOf,
  parseStatsText,
  type StatsNode,
  sizeOf,
  textOf,
  tooManyRows,
} from './stats-json.js';

/** What of the text is needed to read an arena. */
interface Layout {
  readonly pageBytes: number | undefined;
  readonly bins: readonly Pick<BinStats, 'sizeBytes' | 'regionsPerSlab' | 'slabBytes'>[] | undefined;
  readonly largeSizes: readonly number[] | undefined;
  readonly mutexNames: MutexNames;
}

/**
 * Which counter of a lock stands under which name. From 5.2.0 to 5.3.0 jemalloc writes the columns of its table in order, the
 * rates among them, under the names of the counters alone: some are under other names, some missing.
 */
type MutexNames = 'right' | 'shifted' | 'unknown';

function mutexNamesOf(version: string | undefined): MutexNames {
  const release = version === undefined ? undefined : parseJemallocVersion(version);
  if (release === undefined) return 'unknown';
  if (compareJemallocVersions(release, '5.2.0') < 0 || compareJemallocVersions(release, '5.3.1') >= 0) return 'right';
  // Commits after the release may have the correction or not.
  return /^5\.3\.0-[1-9]/.test(version ?? '') ? 'unknown' : 'shifted';
}

function parseMutex(name: string, node: StatsNode, names: MutexNames): MutexStats {
  const read = (key: string, shiftedKey?: string) => {
    if (names === 'right') return numberOf(node, key);
    return names === 'shifted' && shiftedKey !== undefined ? numberOf(node, shiftedKey) : undefined;
  };
  return {
    name,
    operations: numberOf(node, 'num_ops'),
    waits: read('num_wait', 'num_spin_acq'),
    spinAcquisitions: read('num_spin_acq', 'total_wait_time'),
    ownerSwitches: read('num_owner_switch'),
    totalWaitNs: read('total_wait_time'),
    maxWaitNs: read('max_wait_time'),
    maxWaitingThreads: numberOf(node, 'max_num_thds'),
  };
}

function parseMutexes(node: StatsNode | undefined, names: MutexNames): MutexStats[] | undefined {
  return node === undefined ? undefined : entriesOf(node).map(([name, child]) => parseMutex(name, child, names));
}

function parseSettings(node: StatsNode | undefined): StatsSettings {
  const settings = new Map<string, string | number | boolean>();
  for (const [name, { value }] of entriesOf(node)) {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') settings.set(name, value);
  }
  return settings;
}

function parseDecay(node: StatsNode | undefined): DecaySettings {
  return {
    dirtyDecayMs: numberOf(node, 'dirty_decay_ms', 'signed'),
    muzzyDecayMs: numberOf(node, 'muzzy_decay_ms', 'signed'),
  };
}

function parseAllocations(node: StatsNode | undefined): AllocationStats {
  return {
    allocatedBytes: numberOf(node, 'allocated'),
    allocations: numberOf(node, 'nmalloc'),
    deallocations: numberOf(node, 'ndalloc'),
    requests: numberOf(node, 'nrequests'),
  };
}

function parseBins(node: StatsNode | undefined, { bins: classes, mutexNames }: Layout): BinStats[] | undefined {
  const rows = elementsOf(node);
  if (node === undefined || rows === undefined || classes === undefined) return undefined;
  return rows.map((row, at) => {
    const sizes = classes[at];
    if (sizes === undefined) throw tooManyRows(node, classes.length);
    const mutex = childOf(row, 'mutex');
    return {
      ...sizes,
      regions: numberOf(row, 'curregs'),
      slabs: numberOf(row, 'curslabs'),
      nonfullSlabs: numberOf(row, 'nonfull_slabs'),
      allocations: numberOf(row, 'nmalloc'),
      deallocations: numberOf(row, 'ndalloc'),
      requests: numberOf(row, 'nrequests'),
      fills: numberOf(row, 'nfills'),
      flushes: numberOf(row, 'nflushes'),
      mutex: mutex === undefined ? undefined : parseMutex(`bin ${sizes.sizeBytes}`, mutex, mutexNames),
    };
  });
}

function parseLargeExtents(node: StatsNode | undefined, { largeSizes }: Layout): LargeExtentStats[] | undefined {
  const rows = elementsOf(node);
  if (node === undefined || rows === undefined || largeSizes === undefined) return undefined;
  return rows.map((row, at) => {
    const sizeBytes = largeSizes[at];
    if (sizeBytes === undefined) throw tooManyRows(node, largeSizes.length);
    return { sizeBytes, extents: numberOf(row, 'curlextents') };
  });
}

/** The size of an extent by its row: 1, 2, 3, 4 pages, then four steps to each power of two. */
function extentPages(index: number): number {
  if (index < 4) return index + 1;
  return 2 ** (Math.floor(index / 4) - 1) * (4 + (index % 4) + 1);
}

function parseExtents(node: StatsNode | undefined, { pageBytes }: Layout): ExtentStats[] | undefined {
  const rows = elementsOf(node);
  if (rows === undefined || pageBytes === undefined) return undefined;
  return rows.map((row, at) => ({
    sizeBytes: extentPages(at) * pageBytes,
    dirty: { extents: numberOf(row, 'ndirty'), bytes: numberOf(row, 'dirty_bytes') },
    muzzy: { extents: numberOf(row, 'nmuzzy'), bytes: numberOf(row, 'muzzy_bytes') },
    retained: { extents: numberOf(row, 'nretained'), bytes: numberOf(row, 'retained_bytes') },
  }));
}

function parseArena(node: StatsNode, layout: Layout): ArenaStats {
  const bytes = (key: string) => {
    const pages = numberOf(node, key);
    return pages === undefined || layout.pageBytes === undefined ? undefined : pages * layout.pageBytes;
  };
  const purges = (kind: 'dirty' | 'muzzy'): PurgeStats => ({
    sweeps: numberOf(node, `${kind}_npurge`),
    systemCalls: numberOf(node, `${kind}_nmadvise`),
    bytes: bytes(`${kind}_purged`),
  });
  const shard = childOf(node, 'hpa_shard');
  return {
    name: textOf(node, 'name'),
    threads: numberOf(node, 'nthreads'),
    uptimeNs: numberOf(node, 'uptime_ns'),
    ...parseDecay(node),
    activeBytes: bytes('pactive'),
    dirtyBytes: bytes('pdirty'),
    muzzyBytes: bytes('pmuzzy'),
    dirtyPurges: purges('dirty'),
    muzzyPurges: purges('muzzy'),
    small: parseAllocations(childOf(node, 'small')),
    large: parseAllocations(childOf(node, 'large')),
    mappedBytes: numberOf(node, 'mapped'),
    retainedBytes: numberOf(node, 'retained'),
    baseBytes: numberOf(node, 'base'),
    internalBytes: numberOf(node, 'internal'),
    tcacheBytes: numberOf(node, 'tcache_bytes'),
    residentBytes: numberOf(node, 'resident'),
    mutexes: parseMutexes(childOf(node, 'mutexes'), layout.mutexNames),
    bins: parseBins(childOf(node, 'bins'), layout),
    largeExtents: parseLargeExtents(childOf(node, 'lextents'), layout),
    extents: parseExtents(childOf(node, 'extents'), layout),
    hugePages:
      shard === undefined
        ? undefined
        : {
            purges: numberOf(shard, 'npurges'),
            hugifies: numberOf(shard, 'nhugifies'),
            dehugifies: numberOf(shard, 'ndehugifies'),
          },
  };
}

function parseLayout(root: StatsNode): Layout {
  const sizes = childOf(root, 'arenas');
  return {
    pageBytes: numberOf(sizes, 'page'),
    bins: elementsOf(childOf(sizes, 'bin'))?.map((row) => ({
      sizeBytes: sizeOf(row, 'size'),
      regionsPerSlab: sizeOf(row, 'nregs'),
      slabBytes: sizeOf(row, 'slab_size'),
    })),
    largeSizes: elementsOf(childOf(sizes, 'lextent'))?.map((row) => sizeOf(row, 'size')),
    mutexNames: mutexNamesOf(textOf(root, 'version')),
  };
}

/**
 * Parses what `malloc_stats_print` writes with the option `J`, of jemalloc 5.1 to 5.4. What a release does not write, or what was left out
 * by further options, is undefined.
 *
 * @throws JemkitError ERR_JEM_STATS_FORMAT for a text of another form: it names the place, what is there and what was expected.
 */
export function parseStatsJson(text: string): AllocatorStats {
  const whole = parseStatsText(text);
  // Without it every field would be missing, and the answer of something else look like that of an old release.
  const root = childOf(whole, 'jemalloc') ?? { path: 'jemalloc', value: undefined };
  const layout = parseLayout(root);
  const sizes = childOf(root, 'arenas');
  const totals = childOf(root, 'stats');
  const background = childOf(totals, 'background_thread');
  const arenas: NumberedArena[] = [];
  const sums = new Map<string, ArenaStats>();
  for (const [key, node] of entriesOf(childOf(root, 'stats.arenas'))) {
    const arena = parseArena(node, layout);
    if (/^\d+$/.test(key)) arenas.push({ index: Number(key), ...arena });
    else sums.set(key, arena);
  }
  return {
    version: textOf(root, 'version'),
    config: parseSettings(childOf(root, 'config')),
    options: parseSettings(childOf(root, 'opt')),
    pageBytes: layout.pageBytes,
    arenaLimit: numberOf(sizes, 'narenas'),
    newArenas: parseDecay(sizes),
    totals:
      totals === undefined
        ? undefined
        : {
            allocatedBytes: numberOf(totals, 'allocated'),
            activeBytes: numberOf(totals, 'active'),
            metadataBytes: numberOf(totals, 'metadata'),
            residentBytes: numberOf(totals, 'resident'),
            mappedBytes: numberOf(totals, 'mapped'),
            retainedBytes: numberOf(totals, 'retained'),
          },
    backgroundThread:
      background === undefined
        ? undefined
        : {
            threads: numberOf(background, 'num_threads'),
            runs: numberOf(background, 'num_runs'),
            runIntervalNs: numberOf(background, 'run_interval'),
          },
    mutexes: parseMutexes(childOf(totals, 'mutexes'), layout.mutexNames) ?? [],
    // A single arena is not summed up.
    merged: sums.get('merged') ?? (arenas.length === 1 ? arenas[0] : undefined),
    destroyed: sums.get('destroyed'),
    arenas,
  };
}
