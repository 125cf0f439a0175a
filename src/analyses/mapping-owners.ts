import type { Architecture } from '../model/allocator.js';
import type { MappingMemory, MappingOwner, OwnedMapping } from '../model/mapping-memory.js';
import type { ResidentFacts } from '../model/resident-breakdown.js';

/** HEAP_MAX_SIZE of glibc on 64-bit machines: each of its arenas is aligned to it, and reserves a multiple. */
const ARENA_BYTES = 64 * 2 ** 20;

/**
 * V8 asks for its heap's pages at random addresses below this (GetRandomMmapAddr in its platform-posix.cc), where the kernel itself
 * puts nothing.
 */
const V8_HEAP_BELOW: Partial<Record<Architecture, number>> = {
  x64: 0x4000_0000_0000,
  arm64: 0x40_0000_0000,
  ppc64: 0x4000_0000_0000,
  s390x: 0x100_0000_0000,
};

const isAnonymous = ({ path }: MappingMemory) => path === undefined || path.startsWith('[anon:');
const isReserved = ({ permissions }: MappingMemory) => permissions.startsWith('---');

/** `[stack]`, and on kernels before 4.5 `[stack:1234]`. */
const isMainStack = ({ path }: MappingMemory) => path?.startsWith('[stack') === true;

/** Memory that several processes may share, and that no file on a disk stands behind. */
function isSharedMemory({ path, permissions, inode }: MappingMemory): boolean {
  if (path === undefined) return permissions[3] === 's' && inode !== 0;
  return /^(\/dev\/shm\/|\/memfd:|\/SYSV|\/dev\/zero$|\[anon_shmem)/.test(path) && !path.startsWith('/memfd:jit');
}

/** The anonymous mappings that lie in a glibc arena: it begins at a multiple of 64 MiB, and what it has not used yet is reserved up to the next. */
function findArenas(mappings: readonly MappingMemory[]): Set<MappingMemory> {
  const found = new Set<MappingMemory>();
  for (let i = 0; i < mappings.length; i++) {
    const first = mappings[i];
    if (!first || !isAnonymous(first) || first.permissions !== 'rw-p' || first.start % ARENA_BYTES !== 0) continue;
    const run = [first];
    for (let next = mappings[i + 1]; next && isAnonymous(next); next = mappings[i + run.length]) {
      const last = run.at(-1) as MappingMemory;
      if (next.start !== last.end || !/^(---|rw-)p$/.test(next.permissions)) break;
      run.push(next);
      if (isReserved(next) && next.end % ARENA_BYTES === 0) break;
    }
    const last = run.at(-1) as MappingMemory;
    const whole = last.end % ARENA_BYTES === 0 && (isReserved(last) || last.end - first.start === ARENA_BYTES);
    // Another mapping may stand directly behind a reservation; an arena is one or two stretches, never more.
    if (whole && run.length <= 2) for (const mapping of run) found.add(mapping);
  }
  return found;
}

/** A stack's lower neighbour is its guard; on Linux 6.7 and later both are marked by MAP_STACK ('nh'). */
function findStacks(facts: ResidentFacts): Set<MappingMemory> {
  const { mappings, threads } = facts;
  const pointers = threads
    .flatMap(({ stackPointer }) => (stackPointer === undefined ? [] : [stackPointer]))
    .sort((a, b) => a - b);
  const stacks = new Set<MappingMemory>();
  let at = 0;
  mappings.forEach((mapping, index) => {
    while (at < pointers.length && (pointers[at] as number) < mapping.start) at++;
    const pointed = at < pointers.length && (pointers[at] as number) < mapping.end;
    const guard = mappings[index - 1];
    const marked =
      mapping.flags?.has('nh') === true &&
      guard !== undefined &&
      isReserved(guard) &&
      guard.end === mapping.start &&
      guard.flags?.has('nh') === true;
    const anonymous = isAnonymous(mapping) && mapping.permissions === 'rw-p' && !mapping.flags?.has('dc');
    if (isMainStack(mapping) || (anonymous && (pointed || marked))) stacks.add(mapping);
  });
  return stacks;
}

/** Uninitialised data of a program or library: anonymous, and directly behind its writable data. */
function findUninitialised(mappings: readonly MappingMemory[]): Map<MappingMemory, string> {
  const found = new Map<MappingMemory, string>();
  for (let i = 1; i < mappings.length; i++) {
    const [before, mapping] = [mappings[i - 1], mappings[i]];
    if (!before || !mapping || mapping.path !== undefined || mapping.start !== before.end) continue;
    const isData = before.path?.startsWith('/') && before.inode !== 0 && /^rw.p$/.test(before.permissions);
    if (isData && mapping.permissions === before.permissions && !mapping.flags?.has('nr'))
      found.set(mapping, before.path as string);
  }
  return found;
}

function v8Owner(mapping: MappingMemory, facts: ResidentFacts): MappingOwner | undefined {
  const below = V8_HEAP_BELOW[facts.architecture ?? 'x64'];
  const low = below !== undefined && mapping.start < below;
  // V8 keeps its memory out of forked children ('dc': MADV_DONTFORK), which nobody else does.
  const marked = mapping.flags?.has('dc') === true;
  const noted = mapping.flags === undefined || mapping.flags.has('nr');
  if (!facts.holdsV8 || !(marked || (low && noted))) return undefined;
  if (mapping.permissions[2] === 'x') return 'v8-code';
  return low ? 'v8-heap' : 'v8-other';
}

function jemallocServes({ allocator }: ResidentFacts): boolean {
  return (
    allocator.kind === 'identified' &&
    (allocator.allocator === 'jemalloc' ||
      allocator.beside.some((other) => other.allocator === 'jemalloc' && other.standing !== 'not-serving'))
  );
}

/** Ruby maps the pages of its objects itself: 16 KiB each, from 3.2 on 64, and aligned to that. */
const RUBY_PAGE_BYTES = 16 * 1024;
const RUBY = /\/(libruby[-.\d]*\.so[.\d]*|ruby[\d.]*)$/;

function isRubyHeap({ start, end, permissions, flags }: MappingMemory): boolean {
  const aligned = start % RUBY_PAGE_BYTES === 0 && (end - start) % RUBY_PAGE_BYTES === 0;
  return aligned && permissions === 'rw-p' && !flags?.has('nr') && !flags?.has('nh');
}

function anonymousOwner(mapping: MappingMemory, facts: ResidentFacts, isRuby: boolean): MappingOwner {
  if (facts.largeBlocks.has(mapping.start)) return 'malloc-large';
  if (isRuby && isRubyHeap(mapping)) return 'ruby-heap';
  if (!jemallocServes(facts) || mapping.permissions !== 'rw-p') return 'anonymous';
  // jemalloc reserves without accounting ('nr', never 'ac'), except where the kernel accounts for everything.
  const { flags } = mapping;
  const jemallocs = flags === undefined || facts.strictOvercommit || (flags.has('nr') && !flags.has('ac'));
  return jemallocs ? 'jemalloc' : 'anonymous';
}

/** Says of each mapping whose it is, by what the kernel shows from outside. */
export function mappingOwners(facts: ResidentFacts): OwnedMapping[] {
  const { mappings } = facts;
  const stacks = findStacks(facts);
  const isRuby = mappings.some(({ path }) => path !== undefined && RUBY.test(path));
  const uninitialised = findUninitialised(mappings);
  const arenas = findArenas(mappings.filter((mapping) => !mapping.flags?.has('dc')));
  const ownerOf = (mapping: MappingMemory): MappingOwner => {
    const { path, inode } = mapping;
    if (stacks.has(mapping)) return 'stack';
    if (isSharedMemory(mapping)) return 'shared-memory';
    if (path?.startsWith('/') && inode !== 0) return 'file';
    if (uninitialised.has(mapping)) return 'file';
    if (path === '[heap]') return 'malloc-heap';
    if (path !== undefined && !isAnonymous(mapping)) return 'kernel';
    const v8 = v8Owner(mapping, facts);
    if (v8) return v8;
    if (arenas.has(mapping)) return 'malloc-arena';
    return anonymousOwner(mapping, facts, isRuby);
  };
  return mappings.map((mapping) => {
    const owner = ownerOf(mapping);
    return { mapping, owner, file: owner === 'file' ? (uninitialised.get(mapping) ?? mapping.path) : undefined };
  });
}
