import type { MappingMemory, MappingOwner, OwnedMapping } from '../model/mapping-memory.js';
import type { JemallocFigures } from '../model/memory-sample.js';
import type { NodeFacts } from '../model/node-facts.js';
import type { InsideFacts, ResidentFacts, ResidentRow } from '../model/resident-breakdown.js';
import { largePaddingBytes } from './large-padding.js';

function residentOf(owned: readonly OwnedMapping[], owner: MappingOwner): number {
  return owned.reduce((total, one) => total + (one.owner === owner ? one.mapping.residentBytes : 0), 0);
}

const arrayBuffersOf = (node: NodeFacts | undefined) =>
  node?.isolates.reduce((total, { arrayBuffersBytes }) => total + arrayBuffersBytes, 0) ?? 0;

/** jemalloc 5 finds the owner of a page in tables of 2 MiB, one for each GiB of addresses (rtree.h, 48-bit addresses, 4 KiB pages). */
const TABLE_BYTES = 2 * 2 ** 20;
const TABLE_COVERS = 2 ** 30;
const INDEX_PAGE = 4096;

/**
 * What of those tables cannot have been touched: 8 bytes stand for a page, so that a page of a table is touched for each 2 MiB in use. They are counted as
 * metadata whole.
 */
function untouchedIndexBytes(mappings: readonly MappingMemory[]): number {
  const tables = new Set<number>();
  const pages = new Set<number>();
  for (const { start, end } of mappings) {
    const span = TABLE_BYTES;
    for (let at = Math.floor(start / span); at * span < end; at++) {
      pages.add(at);
      tables.add(Math.floor((at * span) / TABLE_COVERS));
    }
  }
  return Math.max(0, tables.size * TABLE_BYTES - pages.size * INDEX_PAGE);
}

/** What jemalloc's books say is in memory, as rows; undefined where a figure is missing. */
function bookRows(
  { allocatedBytes, activeBytes, dirtyBytes, metadataBytes }: JemallocFigures,
  lazyFreeBytes: number,
  arrayBuffers: number,
  untouchedIndex: number,
  largePadding: number,
): ResidentRow[] | undefined {
  if (
    allocatedBytes === undefined ||
    activeBytes === undefined ||
    dirtyBytes === undefined ||
    metadataBytes === undefined
  )
    return undefined;
  const buffers = Math.min(arrayBuffers, allocatedBytes);
  const pinned = activeBytes - allocatedBytes;
  const padding = Math.min(pinned, largePadding);
  const row = (part: ResidentRow['part'], label: string, bytes: number, detail?: string): ResidentRow => ({
    part,
    label,
    bytes,
    source: part === 'array-buffers' ? 'v8' : 'jemalloc',
    ...(detail === undefined ? {} : { detail }),
  });
  return [
    row('array-buffers', 'ArrayBuffers', buffers, 'in jemalloc'),
    row(
      'jemalloc-live',
      'jemalloc: live',
      allocatedBytes - buffers,
      buffers > 0 ? 'without the ArrayBuffers' : undefined,
    ),
    {
      ...row('jemalloc-pinned', 'jemalloc: pinned', pinned, 'free, on pages that hold something live'),
      ...(padding === 0
        ? {}
        : {
            parts: [
              { label: 'free places among small blocks', bytes: pinned - padding },
              { label: 'the page by which large blocks are spread (cache_oblivious)', bytes: padding },
            ],
          }),
    },
    row('jemalloc-dirty', 'jemalloc: dirty', dirtyBytes, 'free pages, not yet given back'),
    row(
      'jemalloc-muzzy',
      'jemalloc: muzzy',
      lazyFreeBytes,
      'given up (MADV_FREE), resident until the kernel needs them',
    ),
    row(
      'jemalloc-metadata',
      'jemalloc: metadata',
      metadataBytes - untouchedIndex,
      untouchedIndex > 0 ? `and ${(untouchedIndex / 2 ** 20).toFixed(1)} MiB of page index, never touched` : undefined,
    ),
  ];
}

function jemallocRows(owned: readonly OwnedMapping[], facts: ResidentFacts, inside: InsideFacts): ResidentRow[] {
  const mappings = owned.filter(({ owner }) => owner === 'jemalloc').map(({ mapping }) => mapping);
  const resident = mappings.reduce((total, { residentBytes }) => total + residentBytes, 0);
  if (resident === 0) return [];
  const lazyFree = mappings.reduce((total, { lazyFreeBytes }) => total + lazyFreeBytes, 0);
  const buffers = arrayBuffersOf(inside.node);
  const sum = (rows: readonly ResidentRow[]) => rows.reduce((total, { bytes }) => total + bytes, 0);
  const counted = inside.jemalloc && bookRows(inside.jemalloc, lazyFree, buffers, 0, 0);
  // As far as the kernel confirms it: nothing is taken off that is resident.
  const index = counted
    ? Math.min(untouchedIndexBytes(mappings), inside.jemalloc?.metadataBytes ?? 0, Math.max(0, sum(counted) - resident))
    : 0;
  const books = inside.jemalloc && bookRows(inside.jemalloc, lazyFree, buffers, index, largePaddingBytes(inside));
  if (!books) {
    const told = facts.allocator.kind === 'identified' && facts.allocator.memory === 'read';
    return [
      {
        part: 'jemalloc',
        label: 'jemalloc',
        bytes: resident,
        source: 'kernel',
        detail: told ? 'no agent inside: not split' : 'told by the mapped files; no agent inside: not split',
      },
    ];
  }
  const difference = resident - sum(books);
  return [
    ...books,
    {
      part: 'jemalloc-difference',
      label: difference < 0 ? 'jemalloc: never touched' : 'jemalloc: not in its books',
      bytes: difference,
      source: 'difference',
      detail:
        difference < 0
          ? 'counted above, and not in memory'
          : "in mappings like jemalloc's, or changed while it was asked",
    },
  ];
}

const MALLOC_PARTS = [
  ['malloc-heap', 'the heap (brk)'],
  ['malloc-arena', 'arenas'],
  ['malloc-large', 'blocks with a mapping of their own'],
] as const;

/** The C library's own malloc: what it holds shows from outside, what of that is free does not. */
function systemRows(owned: readonly OwnedMapping[], facts: ResidentFacts, inside: InsideFacts): ResidentRow[] {
  const { allocator } = facts;
  const serves = allocator.kind !== 'identified' || allocator.allocator === 'system';
  const libc = allocator.kind === 'identified' ? allocator.libc : undefined;
  const name = `${libc ?? 'system'} malloc`;
  const parts = MALLOC_PARTS.map(([owner, label]) => ({ label, bytes: residentOf(owned, owner) })).filter(
    ({ bytes }) => bytes > 0,
  );
  const total = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total === 0) return [];
  // Where another allocator serves, what little lies here was allocated before or beside it.
  const buffers = serves ? Math.min(arrayBuffersOf(inside.node), total) : 0;
  return [
    { part: 'array-buffers', label: 'ArrayBuffers', bytes: buffers, source: 'v8', detail: `in ${name}` },
    {
      part: 'malloc',
      label: name,
      bytes: total - buffers,
      source: 'kernel',
      detail: `${serves ? 'live or free: it does not say' : 'beside the allocator that serves'}${buffers > 0 ? '; without the ArrayBuffers' : ''}`,
      ...(buffers === 0 ? { parts } : { parts: [...parts, { label: 'ArrayBuffers among them', bytes: -buffers }] }),
    },
  ];
}

/** The rows of what malloc holds, whichever allocators the process has. */
export function allocatorRows(
  owned: readonly OwnedMapping[],
  facts: ResidentFacts,
  inside: InsideFacts,
): ResidentRow[] {
  return [...jemallocRows(owned, facts, inside), ...systemRows(owned, facts, inside)];
}
