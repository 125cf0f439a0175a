import type { MappingMemory, MappingOwner, OwnedMapping } from '../model/mapping-memory.js';
import type { InsideFacts, ResidentBreakdown, ResidentFacts, ResidentRow } from '../model/resident-breakdown.js';
import { mappingOwners } from './mapping-owners.js';
import { allocatorRows } from './resident-allocator-rows.js';
import { fileRows } from './resident-file-rows.js';
import { v8Rows } from './resident-v8-rows.js';

type Figure = 'residentBytes' | 'proportionalBytes' | 'swapBytes' | 'lazyFreeBytes' | 'hugePageBytes' | 'hugetlbBytes';

/** JavaScript speaks once a second. */
const OLD_MS = 2000;

const sumOf = (mappings: readonly MappingMemory[], figure: Figure) =>
  mappings.reduce((total, mapping) => total + mapping[figure], 0);

function stackRow(owned: readonly OwnedMapping[], threads: number): ResidentRow | undefined {
  const stacks = owned.filter(({ owner }) => owner === 'stack').map(({ mapping }) => mapping);
  if (stacks.length === 0) return undefined;
  const found = stacks.length === threads ? '' : `; ${stacks.length} stacks found`;
  return {
    part: 'stack',
    label: 'thread stacks',
    bytes: sumOf(stacks, 'residentBytes'),
    source: 'kernel',
    detail: `${threads} ${threads === 1 ? 'thread' : 'threads'}${found}`,
  };
}

function plainRow(
  owned: readonly OwnedMapping[],
  owner: MappingOwner & ResidentRow['part'],
  label: string,
): ResidentRow {
  const mappings = owned.filter((one) => one.owner === owner).map(({ mapping }) => mapping);
  return { part: owner, label, bytes: sumOf(mappings, 'residentBytes'), source: 'kernel' };
}

function notesOf(facts: ResidentFacts, inside: InsideFacts, lazyFree: number): string[] {
  const { allocator } = facts;
  const notes: string[] = [];
  if (allocator.kind === 'identified' && allocator.note) notes.push(allocator.note);
  if (allocator.kind === 'unknown') notes.push(`which allocator serves it cannot be told: ${allocator.reason}`);
  if (facts.mappings.some(({ flags }) => flags === undefined))
    notes.push('this kernel does not show flags of mappings: owners are told by address');
  if (inside.nodeAgeMs !== undefined && inside.nodeAgeMs > OLD_MS) {
    const seconds = (inside.nodeAgeMs / 1000).toFixed(1);
    notes.push(
      `what V8 says (its spaces, ArrayBuffers) is ${seconds} s old: the program's event loop has not turned since`,
    );
  }
  if (lazyFree > 0 && inside.jemalloc === undefined)
    notes.push(
      `${(lazyFree / 2 ** 20).toFixed(1)} MiB were given up with MADV_FREE and count until the kernel needs them`,
    );
  return notes;
}

/**
 * Says where the resident memory of a process is. Rows add up to the kernel's RSS: what the mappings do not explain is a row, with its sign.
 * Each page is the kernel's; the books of jemalloc and V8, where somebody inside told them, only divide what their mappings hold.
 */
export function analyseResidentBreakdown(facts: ResidentFacts, inside: InsideFacts): ResidentBreakdown {
  const owned = mappingOwners(facts);
  const all = facts.mappings;
  const named: ResidentRow[] = [
    ...v8Rows(owned, inside.node),
    { ...plainRow(owned, 'ruby-heap', "Ruby's object heap"), detail: 'mapped by Ruby itself, told by its alignment' },
    ...allocatorRows(owned, facts, inside),
    ...[stackRow(owned, facts.threads.length)].filter((row) => row !== undefined),
    ...fileRows(owned),
    plainRow(owned, 'shared-memory', 'shared memory'),
    plainRow(owned, 'kernel', "the kernel's own (vdso, io_uring)"),
    plainRow(owned, 'anonymous', 'other anonymous memory'),
  ].filter(({ bytes }) => bytes !== 0);
  const residentBytes = facts.residentAfterBytes;
  const rest: ResidentRow = {
    part: 'rest',
    label: 'rest',
    bytes: residentBytes - named.reduce((total, { bytes }) => total + bytes, 0),
    source: 'difference',
    detail: "the kernel's counter against its page tables",
  };
  const untouched = named.find(({ part, bytes }) => part === 'jemalloc-difference' && bytes < 0);
  const unexplained = [...named, rest].filter(
    (row) => row !== untouched && (row.source === 'difference' || row.part === 'anonymous'),
  );
  return {
    pid: facts.pid,
    atMs: facts.atMs,
    residentBytes,
    driftBytes: facts.residentAfterBytes - facts.residentBeforeBytes,
    rows: [...named, rest],
    unexplainedBytes: unexplained.reduce((total, { bytes }) => total + Math.abs(bytes), 0),
    untouchedBytes: untouched === undefined ? 0 : -untouched.bytes,
    proportionalBytes: sumOf(all, 'proportionalBytes'),
    swapBytes: sumOf(all, 'swapBytes'),
    hugePageBytes: sumOf(all, 'hugePageBytes'),
    hugetlbBytes: sumOf(all, 'hugetlbBytes'),
    notes: notesOf(facts, inside, sumOf(all, 'lazyFreeBytes')),
  };
}
