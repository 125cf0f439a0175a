import type { MemorySample } from '../model/memory-sample.js';
import type { SeriesTrend } from '../model/memory-trend.js';
import { median } from './compare-runs.js';
import { analyseSeries, type TrendRequirement } from './trend.js';

/** What a purge gave back, if one was done while the samples were taken. */
export interface PurgeEvidence {
  readonly monotonicMs: number;
  /** By how much RSS fell, without what a collection of V8's heap had freed just before. */
  readonly returnedBytes: number;
}

/**
 * What grows, or lies unused. `native-growth`: memory that native code (or node itself) holds. `v8`: JavaScript objects or ArrayBuffers.
 * `fragmentation`: pages that are held by few live blocks. `undecayed`: pages that jemalloc has not given back yet. `outside`: neither
 * jemalloc's nor this thread's V8's. `none`: nothing of it. `too-early`: not enough was seen.
 */
export type LeakVerdict = 'too-early' | 'none' | 'native-growth' | 'v8' | 'fragmentation' | 'undecayed' | 'outside';

/** A part of memory, as it was looked at. */
export type LeakPart =
  /** RSS. */
  | 'resident'
  /** jemalloc's allocated bytes without ArrayBuffers. */
  | 'native'
  /** V8's used heap, of this thread's isolate. */
  | 'v8-heap'
  | 'array-buffers'
  /** active − allocated. */
  | 'fragmentation'
  /** Dirty and muzzy pages. */
  | 'undecayed'
  /** RSS without jemalloc's pages and V8's heap. */
  | 'outside';

/** How a part of memory went. */
export interface LeakEvidence {
  readonly part: LeakPart;
  /** At the last sample. */
  readonly lastBytes: number;
  readonly trend: SeriesTrend;
}

/** One verdict with the figures it rests on. */
export interface LeakSuspicion {
  readonly kind: LeakVerdict;
  /** For people: what was found, and what to do next. */
  readonly summary: string;
  /** Each part that could be measured; those that grow first, the fastest at the top. */
  readonly evidence: readonly LeakEvidence[];
}

/** What {@link analyseLeakSuspicion} asks for by default. */
const REQUIREMENT: TrendRequirement = { minimumSamples: 20, minimumSpanMs: 20 * 60_000 };

const sum = (...parts: readonly (number | undefined)[]): number | undefined =>
  parts.reduce<number | undefined>((a, b) => (a === undefined || b === undefined ? undefined : a + b), 0);
const minus = (value: number | undefined, ...others: readonly (number | undefined)[]) =>
  sum(value, ...others.map((other) => (other === undefined ? undefined : -other)));

const PARTS: Readonly<Record<LeakPart, (sample: MemorySample) => number | undefined>> = {
  resident: ({ process: kernel }) => kernel.residentBytes,
  // Without V8's word for its ArrayBuffers, a process that is not Node: all of it is native.
  native: ({ jemalloc, v8 }) => minus(jemalloc?.allocatedBytes, v8 ? v8.arrayBuffersBytes : 0),
  'v8-heap': ({ v8 }) => v8?.heapUsedBytes,
  'array-buffers': ({ v8 }) => v8?.arrayBuffersBytes,
  fragmentation: ({ jemalloc }) => minus(jemalloc?.activeBytes, jemalloc?.allocatedBytes),
  undecayed: ({ jemalloc }) => sum(jemalloc?.dirtyBytes, jemalloc?.muzzyBytes ?? 0),
  outside: ({ process: kernel, jemalloc, v8 }) =>
    minus(
      kernel.residentBytes,
      jemalloc?.activeBytes,
      jemalloc?.dirtyBytes,
      jemalloc?.muzzyBytes ?? 0,
      v8 ? v8.heapTotalBytes : 0,
    ),
};

function evidenceOf(
  part: LeakPart,
  samples: readonly MemorySample[],
  requirement: TrendRequirement,
): LeakEvidence | undefined {
  const values = samples.map((sample) => PARTS[part](sample) ?? Number.NaN);
  const lastBytes = values.findLast(Number.isFinite);
  if (lastBytes === undefined) return undefined;
  const times = samples.map(({ monotonicMs }) => monotonicMs);
  return { part, lastBytes, trend: analyseSeries(times, values, requirement) };
}

const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(Math.abs(bytes) < 10 * 2 ** 20 ? 1 : 0)} MiB`;
const perHour = ({ trend }: LeakEvidence) => `${mib(trend.bytesPerHour ?? 0)} an hour`;
const isGrowing = ({ trend }: LeakEvidence) => trend.verdict === 'growing';

/** Unused pages that are more than this, and a quarter of RSS, are worth a word by themselves. */
const MANY_BYTES = 32 * 2 ** 20;

const median5 = (samples: readonly MemorySample[], part: LeakPart) =>
  median(
    samples
      .slice(-5)
      .map(PARTS[part])
      .filter((value) => value !== undefined),
  );

function undecayedSummary(samples: readonly MemorySample[]): string | undefined {
  const undecayed = median5(samples, 'undecayed');
  const resident = median5(samples, 'resident');
  if (undecayed === undefined || resident === undefined) return undefined;
  if (undecayed < MANY_BYTES || undecayed < resident / 4) return undefined;
  return `${mib(undecayed)} of ${mib(resident)} RSS are pages that jemalloc keeps for reuse (dirty and muzzy). That is no leak: a shorter dirty_decay_ms or background_thread:true gives them back.`;
}

/**
 * What a purge says of native growth. It speaks of what had grown until then, and takes no allocated byte back: what jemalloc counts as
 * allocated is no more explained by it than by half.
 */
function purgeSays(
  native: SeriesTrend,
  resident: SeriesTrend | undefined,
  lastMs: number,
  purge: PurgeEvidence | undefined,
): { helped: boolean; words: string } {
  const beganMs = lastMs - native.spanMs;
  if (!purge || purge.monotonicMs <= beganMs)
    return { helped: false, words: 'Whether a purge helps was not tried since then: memory.optimize().' };
  const slope = resident?.bytesPerHour ?? 0;
  const grown = (slope * (purge.monotonicMs - beganMs)) / 3_600_000;
  const isAllocated = (native.bytesPerHour ?? 0) >= slope / 2;
  return {
    helped: !isAllocated && grown > 0 && purge.returnedBytes >= grown / 2,
    words: `A purge gave back ${mib(Math.max(0, purge.returnedBytes))}.`,
  };
}

const SUMMARY = {
  native: (at, purge) =>
    `Native memory in use grows by ${perHour(at)}, beside V8’s heap and ArrayBuffers: a leak in native code is suspected, or a cache that still fills. ${purge} Next: a heap profile (jem run with --preset leak-hunt).`,
  'v8-heap': (at) =>
    `V8’s heap grows by ${perHour(at)}: JavaScript objects are kept. Next: compare two heap snapshots (node --heapsnapshot-signal=SIGUSR2).`,
  'array-buffers': (at) =>
    `ArrayBuffers and Buffers grow by ${perHour(at)}: JavaScript keeps them. Next: compare two heap snapshots (node --heapsnapshot-signal=SIGUSR2), and look for small Buffers that pin Buffer.poolSize.`,
  fragmentation: (at) =>
    `Pages that are only partly in use grow by ${perHour(at)} (active − allocated, now ${mib(at.lastBytes)}): fragmentation. Next: jem stats --bins, which names the size classes.`,
  undecayed: (at) =>
    `Pages that jemalloc keeps for reuse grow by ${perHour(at)}, now ${mib(at.lastBytes)}: no leak. A shorter dirty_decay_ms or background_thread:true gives them back.`,
  outside: (at) =>
    `Memory outside of jemalloc and of this thread’s V8 grows by ${perHour(at)}: workers’ heaps, thread stacks, mapped files or another allocator. Next: jem explain, which names each part.`,
} as const satisfies Readonly<Record<Exclude<LeakPart, 'resident'>, (at: LeakEvidence, purge: string) => string>>;

const VERDICTS = {
  native: 'native-growth',
  'v8-heap': 'v8',
  'array-buffers': 'v8',
  fragmentation: 'fragmentation',
  undecayed: 'undecayed',
  outside: 'outside',
} as const satisfies Readonly<Record<Exclude<LeakPart, 'resident'>, LeakVerdict>>;

function wholeVerdict(
  samples: readonly MemorySample[],
  evidence: readonly LeakEvidence[],
  purge: PurgeEvidence | undefined,
): Pick<LeakSuspicion, 'kind' | 'summary'> {
  const resident = evidence.find(({ part }) => part === 'resident');
  const growing = evidence.find((one) => one.part !== 'resident' && isGrowing(one));
  const undecayed = undecayedSummary(samples);
  if (growing) {
    const part = growing.part as Exclude<LeakPart, 'resident'>;
    const said = purgeSays(growing.trend, resident?.trend, samples.at(-1)?.monotonicMs ?? 0, purge);
    if (part === 'native' && said.helped) {
      return {
        kind: 'undecayed',
        summary: `RSS grows by ${resident ? perHour(resident) : '?'}, and most of that came back by a purge: pages that jemalloc keeps for reuse. A shorter dirty_decay_ms or background_thread:true gives them back.`,
      };
    }
    return { kind: VERDICTS[part], summary: SUMMARY[part](growing, said.words) };
  }
  if (undecayed) return { kind: 'undecayed', summary: undecayed };
  if (!resident || !isGrowing(resident)) return { kind: 'none', summary: 'Nothing grows beyond chance.' };
  if (!evidence.some(({ part }) => part === 'native')) {
    return {
      kind: 'outside',
      summary: `RSS grows by ${perHour(resident)}, and V8’s heap does not. Without jemalloc it cannot be told whether native code holds it or the allocator does not give it back: jem run -- node … tells.`,
    };
  }
  return { kind: 'outside', summary: SUMMARY.outside(resident) };
}

/**
 * What a process's samples say of its memory: one verdict with its evidence. Where several parts grow, the one that grows fastest
 * names the verdict. ArrayBuffers lie in jemalloc's allocated bytes; they are taken out of the native part.
 *
 * @param samples in order of time, without those of the warm-up.
 * @param purge the last purge: growth that a purge takes back is no leak.
 */
export function analyseLeakSuspicion(
  samples: readonly MemorySample[],
  purge?: PurgeEvidence,
  requirement: TrendRequirement = REQUIREMENT,
): LeakSuspicion {
  const rate = ({ trend }: LeakEvidence) => trend.bytesPerHour ?? 0;
  const evidence = (Object.keys(PARTS) as LeakPart[])
    .map((part) => evidenceOf(part, samples, requirement))
    .filter((one) => one !== undefined)
    .sort((a, b) => Number(isGrowing(b)) - Number(isGrowing(a)) || rate(b) - rate(a));
  const resident = evidence.find(({ part }) => part === 'resident');
  if (!resident || resident.trend.verdict === 'too early') {
    const { minimumSamples, minimumSpanMs } = requirement;
    const needed = `${minimumSamples} samples over ${Math.round(minimumSpanMs / 60_000)} minutes are needed, ${samples.length} were taken`;
    return { kind: 'too-early', summary: `It is too early to tell: ${needed} since the warm-up.`, evidence };
  }
  return { ...wholeVerdict(samples, evidence, purge), evidence };
}
