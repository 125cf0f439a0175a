import type { ArenaStats, NumberedArena } from '../../model/allocator-stats.js';
import type { ExtentSizes, MutexContention, SizeClassWaste } from '../../model/stats-report.js';
import { formatBytes } from './bytes.js';
import { formatCount, formatDecay, formatShare, type StatsStyle } from './stats-page.js';
import { renderTable } from './table.js';

function table(
  header: readonly string[],
  rows: ReadonlyArray<readonly string[]>,
  left: readonly number[],
  { width, paint }: StatsStyle,
): string {
  return renderTable(rows, {
    header,
    align: header.map((_, column) => (left.includes(column) ? 'left' : 'right')),
    styleHeader: (line) => paint('bold', line),
    ...(width === undefined ? {} : { maxWidth: width }),
  });
}

function arenaCells(label: string, arena: ArenaStats): string[] {
  const { small, large, dirtyPurges, muzzyPurges } = arena;
  const allocated =
    small.allocatedBytes === undefined || large.allocatedBytes === undefined
      ? undefined
      : small.allocatedBytes + large.allocatedBytes;
  return [
    label,
    formatCount(arena.threads),
    formatBytes(allocated),
    formatBytes(arena.activeBytes),
    formatBytes(arena.dirtyBytes),
    formatBytes(arena.muzzyBytes),
    formatBytes(arena.retainedBytes),
    formatBytes(arena.tcacheBytes),
    formatCount(dirtyPurges.sweeps),
    formatBytes(dirtyPurges.bytes),
    formatBytes(muzzyPurges.bytes),
    formatDecay(arena.dirtyDecayMs),
    formatDecay(arena.muzzyDecayMs),
  ];
}

const ARENA_HEADER = [
  'ARENA',
  'THREADS',
  'ALLOCATED',
  'ACTIVE',
  'DIRTY',
  'MUZZY',
  'RETAINED',
  'TCACHE',
  'PURGES',
  'DIRTY PURGED',
  'MUZZY PURGED',
  'DIRTY DECAY',
  'MUZZY DECAY',
];

/** `jem stats --arenas`: a line for each arena in use, then their sum. */
export function renderArenaTable(
  arenas: readonly NumberedArena[],
  { merged, destroyed }: { readonly merged: ArenaStats | undefined; readonly destroyed: ArenaStats | undefined },
  style: StatsStyle,
): string {
  // jemalloc's own names say no more than the number.
  const label = ({ index, name }: NumberedArena) =>
    name === undefined || /^auto_\d+$/.test(name) ? String(index) : `${index} ${name}`;
  const rows = arenas.map((arena) => arenaCells(label(arena), arena));
  if (destroyed) rows.push(arenaCells('destroyed', destroyed));
  // Each arena has decay times of its own; the sum's are those of new arenas.
  if (merged && (rows.length > 1 || arenas.length === 0))
    rows.push([...arenaCells('all', merged).slice(0, -2), '', '']);
  const lines = table(ARENA_HEADER, rows, [0], style);
  return arenas.length > 0
    ? lines
    : `${lines}\n\nSingle arenas are not listed: this program destroys arenas, and asking for one that is just gone would end it.`;
}

/** `jem stats --bins`: the small size classes, the most wasteful first, then their sum. */
export function renderBinTable(waste: SizeClassWaste, style: StatsStyle): string {
  const rows = waste.classes.map((use) => [
    formatBytes(use.sizeBytes),
    formatBytes(use.wasteBytes),
    formatShare(use.utilization),
    formatBytes(use.usedBytes),
    formatCount(use.regions),
    formatCount(use.slabs),
    formatCount(use.nonfullSlabs),
    formatCount(use.regionsPerSlab),
    formatBytes(use.slabBytes),
    formatCount(use.requests),
  ]);
  const total = [
    'all',
    formatBytes(waste.wasteBytes),
    formatShare(
      waste.usedBytes + waste.wasteBytes === 0 ? undefined : waste.usedBytes / (waste.usedBytes + waste.wasteBytes),
    ),
    formatBytes(waste.usedBytes),
  ];
  const header = ['SIZE', 'WASTE', 'USED', 'HELD', 'REGIONS', 'SLABS', 'NONFULL', 'PER SLAB', 'SLAB SIZE', 'REQUESTS'];
  return table(header, [...rows, total], [], style);
}

function unusedTable({ unused, totals }: ExtentSizes, style: StatsStyle): string {
  if (unused === undefined) return 'Unused extents by size: not told by this jemalloc (from 5.2.0 on).';
  const cells = (label: string, row: ExtentSizes['totals']) => [
    label,
    ...[row.dirty, row.muzzy, row.retained].flatMap(({ extents, bytes }) => [formatCount(extents), formatBytes(bytes)]),
  ];
  const rows = unused.map((row) => cells(formatBytes(row.sizeBytes), row));
  const header = ['SIZE CLASS', 'DIRTY', 'BYTES', 'MUZZY', 'BYTES', 'RETAINED', 'BYTES'];
  return `Unused extents\n${table(header, [...rows, cells('all', totals)], [], style)}`;
}

/** `jem stats --extents`: what jemalloc keeps unused, and the large allocations that are held, by size. */
export function renderExtentTables(sizes: ExtentSizes, style: StatsStyle): string {
  const held = sizes.held?.map(({ sizeBytes, extents }) => [
    formatBytes(sizeBytes),
    formatCount(extents),
    formatBytes(extents === undefined ? undefined : extents * sizeBytes),
  ]);
  const large =
    held === undefined
      ? ''
      : held.length === 0
        ? '\n\nLarge allocations: none'
        : `\n\nLarge allocations\n${table(['SIZE UP TO', 'HELD', 'BYTES AT MOST'], held, [], style)}`;
  return unusedTable(sizes, style) + large;
}

const SCOPES: Readonly<Record<MutexContention['scope'], string>> = {
  global: 'global',
  arena: 'all arenas',
  bin: 'all arenas',
};

/** `jem stats --mutexes`: jemalloc's locks, the most contended first. */
export function renderMutexTable(mutexes: readonly MutexContention[], style: StatsStyle): string {
  const time = (ns: number | undefined) =>
    ns === undefined ? '-' : `${(ns / 1e6).toFixed(ns > 0 && ns < 1e7 ? 2 : 0)} ms`;
  const rows = mutexes.map((mutex) => [
    mutex.name,
    SCOPES[mutex.scope],
    time(mutex.totalWaitNs),
    time(mutex.maxWaitNs),
    formatCount(mutex.waits),
    formatShare(mutex.waitShare),
    formatCount(mutex.operations),
    formatCount(mutex.spinAcquisitions),
    formatCount(mutex.ownerSwitches),
    formatCount(mutex.maxWaitingThreads),
  ]);
  const header = [
    'MUTEX',
    'OF',
    'WAITED',
    'LONGEST',
    'WAITS',
    'OF OPS',
    'OPERATIONS',
    'SPINS',
    'OWNER SWITCHES',
    'THREADS AT MOST',
  ];
  return table(header, rows, [0, 1], style);
}
