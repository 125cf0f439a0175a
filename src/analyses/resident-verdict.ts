import type {
  InsideFacts,
  ResidentBreakdown,
  ResidentFacts,
  ResidentPart,
  ResidentVerdict,
  VerdictKind,
} from '../model/resident-breakdown.js';
import { bufferPoolVerdict } from './buffer-pool-verdict.js';
import { largePaddingBytes } from './large-padding.js';

/** Memory that serves nobody is worth a word from here on, as a share of RSS and in bytes. */
const WASTE_SHARE = 0.15;
const WASTE_BYTES = 16 * 2 ** 20;
/** A part explains a process's RSS when it is this much of it. */
const MAIN_SHARE = 0.4;
/** Of V8's heap, resident and holding no object. */
const IDLE_HEAP_SHARE = 0.4;

const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
const percent = (share: number) => `${(share * 100).toFixed(0)} %`;

interface Found extends ResidentVerdict {
  readonly bytes: number;
}

function sumOf(breakdown: ResidentBreakdown, ...parts: readonly ResidentPart[]): number {
  return breakdown.rows.reduce((total, row) => total + (parts.includes(row.part) ? row.bytes : 0), 0);
}

function fragmentation({ breakdown, inside, pid }: Case): Found | undefined {
  const { jemalloc } = inside;
  const bytes = sumOf(breakdown, 'jemalloc-pinned') - largePaddingBytes(inside);
  if (!jemalloc?.activeBytes || !isWaste(bytes, breakdown)) return undefined;
  return {
    kind: 'fragmentation',
    certainty: 'proven',
    bytes,
    title: `fragmentation: ${mib(bytes)} (${percent(bytes / breakdown.residentBytes)} of RSS) are free, on pages that something live pins`,
    evidence: [
      `jemalloc: ${mib(jemalloc.allocatedBytes ?? 0)} allocated on ${mib(jemalloc.activeBytes)} of active pages: ${percent(bytes / jemalloc.activeBytes)} of them is free`,
      'a purge does not help: no such page is free as a whole',
    ],
    remedies: [
      `jem stats ${pid} --bins   # the size classes that waste most`,
      'allocate what lives long apart from what lives short: at start, or copied together into one larger block',
      'fewer arenas pin fewer pages: MALLOC_CONF=narenas:2',
    ],
  };
}

function undecayed({ breakdown, inside, pid }: Case): Found | undefined {
  const bytes = sumOf(breakdown, 'jemalloc-dirty', 'jemalloc-muzzy');
  const { jemalloc } = inside;
  if (!jemalloc || !isWaste(bytes, breakdown)) return undefined;
  const threads = jemalloc.backgroundThreads ?? 0;
  const decay = jemalloc.newArenaDirtyDecayMs;
  return {
    kind: 'undecayed',
    certainty: 'proven',
    bytes,
    title: `undecayed pages: ${mib(bytes)} (${percent(bytes / breakdown.residentBytes)} of RSS) are free pages that jemalloc has not given back`,
    evidence: [
      `jemalloc: ${mib(jemalloc.dirtyBytes ?? 0)} dirty, ${mib(jemalloc.muzzyBytes ?? 0)} muzzy`,
      decay === undefined || decay < 0
        ? 'dirty_decay_ms is -1: they never go back by themselves'
        : `dirty_decay_ms is ${decay}, ${threads > 0 ? `${threads} background threads` : 'and no background thread: a process at rest keeps them'}`,
    ],
    remedies: [
      `jem purge ${pid}   # gives them back now`,
      'jem run --preset balanced -- COMMAND   # a background thread and a short decay, for good',
    ],
  };
}

function v8Heap({ breakdown, inside, pid }: Case): Found | undefined {
  const bytes = sumOf(breakdown, 'v8-heap', 'v8-code', 'v8-other');
  if (bytes < breakdown.residentBytes * MAIN_SHARE) return undefined;
  const isolates = inside.node?.isolates ?? [];
  const used = isolates.reduce((total, isolate) => total + isolate.heapUsedBytes, 0);
  const total = isolates.reduce((sum, isolate) => sum + isolate.heapPhysicalBytes, 0);
  const limit = isolates.find(({ threadId }) => threadId === 0)?.heapLimitBytes;
  const evidence = [
    `${mib(sumOf(breakdown, 'v8-heap'))} are resident in V8's heap, ${mib(sumOf(breakdown, 'v8-code'))} in its code`,
  ];
  const idle = total > 0 && (total - used) / total >= IDLE_HEAP_SHARE;
  if (total > 0) evidence.push(`of ${mib(total)} in its spaces ${mib(used)} hold objects, living or not yet collected`);
  else evidence.push('what of it holds objects only JavaScript inside can tell');
  if (limit !== undefined) evidence.push(`the heap's limit is ${mib(limit)}`);
  return {
    kind: 'v8-heap',
    certainty: 'proven',
    bytes,
    title: `V8's heap: ${mib(bytes)} (${percent(bytes / breakdown.residentBytes)} of RSS) are JavaScript's own; malloc has no part in them`,
    evidence,
    remedies: [
      ...(idle
        ? ['much of it is empty: a lower --max-old-space-size (and --max-semi-space-size) makes V8 collect earlier']
        : []),
      `node --heapsnapshot-signal=SIGUSR2 APP, then: kill -USR2 ${pid}   # two snapshots, compared in Chrome's DevTools, name what grows`,
      '--max-old-space-size=MB bounds it',
    ],
  };
}

function nativeLive({ breakdown, facts, inside, pid }: Case): Found | undefined {
  if (!inside.jemalloc) return undefined;
  // What was allocated and never touched is in nobody's memory.
  const untouched = Math.min(0, sumOf(breakdown, 'jemalloc-difference') + sumOf(breakdown, 'jemalloc-metadata'));
  const bytes = sumOf(breakdown, 'jemalloc-live', 'array-buffers') + untouched;
  if (bytes < breakdown.residentBytes * MAIN_SHARE) return undefined;
  const buffers = sumOf(breakdown, 'array-buffers');
  const evidence = [`jemalloc: ${mib(inside.jemalloc.allocatedBytes ?? 0)} allocated and not freed`];
  if (buffers > 0)
    evidence.push(
      `${mib(buffers)} of it are ArrayBuffers (Buffers among them) that JavaScript still reaches or has not collected`,
    );
  if (facts.holdsV8 && inside.node === undefined)
    evidence.push('how much of it are Buffers only jemkit inside the program can tell');
  return {
    kind: 'native-live',
    certainty: 'proven',
    bytes,
    title: `native live memory: ${mib(bytes)} (${percent(bytes / breakdown.residentBytes)} of RSS) are allocated with malloc and in use`,
    evidence,
    remedies: [
      `jem explain ${pid} --watch 10   # a leak grows from look to look; a cache stops`,
      buffers > bytes / 2
        ? 'look for what keeps Buffers: caches without a bound, streams that nobody reads, closures; a heap snapshot names who holds them'
        : `jem stats ${pid} --bins   # the size classes in which it lives`,
      'memory.trend() in the program says whether it grows significantly',
    ],
  };
}

function unsplit({ breakdown, pid }: Case): Found | undefined {
  const bytes = sumOf(breakdown, 'jemalloc');
  if (bytes < breakdown.residentBytes * MAIN_SHARE) return undefined;
  return {
    kind: 'native-live',
    certainty: 'suspected',
    bytes,
    title: `jemalloc's memory: ${mib(bytes)} (${percent(bytes / breakdown.residentBytes)} of RSS); whether it is live, pinned or not yet given back, only an agent inside can tell`,
    evidence: ["from outside only its mappings show, and nobody inside answers for jemalloc's books"],
    remedies: [
      `jem run --agent -- COMMAND, then: jem explain ${pid}   # the new pid`,
      "in Node also: import { createMemory } from 'jemkit'",
    ],
  };
}

function glibc({ breakdown, facts }: Case): Found | undefined {
  const { allocator } = facts;
  if (allocator.kind !== 'identified' || allocator.allocator !== 'system') return undefined;
  const buffers = sumOf(breakdown, 'array-buffers');
  const bytes = sumOf(breakdown, 'malloc') + buffers;
  if (bytes < breakdown.residentBytes * MAIN_SHARE) return undefined;
  const name = allocator.libc ?? "the system's malloc";
  const row = breakdown.rows.find(({ part }) => part === 'malloc');
  return {
    kind: 'glibc',
    certainty: 'suspected',
    bytes,
    title: `${name}'s heap: ${mib(bytes)} (${percent(bytes / breakdown.residentBytes)} of RSS); what of it is live and what is kept free, ${name} does not say`,
    evidence: [
      ...(row?.parts ?? []).filter((part) => part.bytes > 0).map((part) => `${mib(part.bytes)} in ${part.label}`),
      ...(buffers > 0 ? [`${mib(buffers)} of it are ArrayBuffers by V8's count`] : []),
    ],
    remedies: [
      'jem run -- COMMAND   # the same program under jemalloc, which can be asked, and gives back what is free',
      'MALLOC_ARENA_MAX=2 COMMAND   # fewer arenas, where it must stay glibc',
    ],
  };
}

function plain(
  { breakdown }: Case,
  kind: VerdictKind,
  part: ResidentPart,
  title: string,
  evidence: string,
  remedies: readonly string[],
): Found | undefined {
  const bytes = sumOf(breakdown, part);
  if (bytes < breakdown.residentBytes * MAIN_SHARE) return undefined;
  const share = `${mib(bytes)} (${percent(bytes / breakdown.residentBytes)} of RSS)`;
  return { kind, certainty: 'proven', bytes, title: `${title}: ${share}`, evidence: [evidence], remedies };
}

interface Case {
  readonly pid: number;
  readonly breakdown: ResidentBreakdown;
  readonly facts: ResidentFacts;
  readonly inside: InsideFacts;
}

function isWaste(bytes: number, { residentBytes }: ResidentBreakdown): boolean {
  return bytes >= WASTE_BYTES && bytes >= residentBytes * WASTE_SHARE;
}

function threads(one: Case): Found | undefined {
  const { breakdown, facts } = one;
  const bytes = sumOf(breakdown, 'stack');
  if (!isWaste(bytes, breakdown)) return undefined;
  const count = facts.threads.length;
  return {
    kind: 'threads',
    certainty: 'proven',
    bytes,
    title: `thread stacks: ${mib(bytes)} (${percent(bytes / breakdown.residentBytes)} of RSS) in ${count} threads`,
    evidence: [
      `${mib(bytes / Math.max(1, count))} a thread; a stack keeps the pages of its deepest moment until the thread ends`,
    ],
    remedies: [
      `ls /proc/${one.pid}/task | wc -l   # is the number growing?`,
      'fewer threads (UV_THREADPOOL_SIZE, the pool of the database, workers), or less depth in each',
    ],
  };
}

function files(one: Case): Found | undefined {
  const { breakdown } = one;
  const rows = breakdown.rows.filter(({ part }) => part === 'file').sort((a, b) => b.bytes - a.bytes);
  const largest = rows.slice(0, 3).map(({ label, bytes }) => `${mib(bytes)} ${label}`);
  return plain(one, 'mapped-files', 'file', 'mapped files', largest.join(', '), [
    'pages of files go when the kernel needs the room, and programs that map the same file share them: look at PSS',
    'no allocator changes this part',
  ]);
}

const isProven = ({ certainty }: ResidentVerdict) => certainty === 'proven';

/**
 * What stands out in a process's RSS; one that says so where nothing does. What is proven comes before what is suspected, waste before what is in use
 * (it is what can be had back), and then the largest first.
 */
export function analyseResidentVerdict(
  breakdown: ResidentBreakdown,
  facts: ResidentFacts,
  inside: InsideFacts,
): readonly ResidentVerdict[] {
  const one: Case = { pid: facts.pid, breakdown, facts, inside };
  const largestFirst = (found: ReadonlyArray<Found | undefined>) =>
    found.filter((verdict) => verdict !== undefined).sort((a, b) => b.bytes - a.bytes);
  const waste = largestFirst([bufferPoolVerdict(breakdown, inside), fragmentation(one), undecayed(one), threads(one)]);
  const use = largestFirst([
    v8Heap(one),
    nativeLive(one),
    unsplit(one),
    glibc(one),
    files(one),
    plain(
      one,
      'shared-memory',
      'shared-memory',
      'shared memory',
      'several processes may count the same pages: look at PSS',
      ['ls -l /dev/shm; ipcs -m'],
    ),
  ]);
  const all = [...waste, ...use].map(({ bytes: _bytes, ...verdict }) => verdict);
  const found = [...all.filter(isProven), ...all.filter((verdict) => !isProven(verdict))];
  if (found.length > 0) return found;
  const largest = [...breakdown.rows].sort((a, b) => b.bytes - a.bytes).slice(0, 3);
  return [
    {
      kind: 'nothing',
      certainty: 'proven',
      title: 'nothing stands out',
      evidence: [`the largest parts: ${largest.map(({ label, bytes }) => `${mib(bytes)} ${label}`).join(', ')}`],
      remedies: [`jem explain ${facts.pid} --watch 10   # what grows?`],
    },
  ];
}
