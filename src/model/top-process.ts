import type { MemorySample, ProcessMemory } from './memory-sample.js';
import type { SampleRates } from './stats-report.js';

/** A process with an agent, as it was seen at the last look. */
export interface TopProcess {
  readonly pid: number;
  /** The command line, shortened. */
  readonly name: string;
  readonly user: string | undefined;
  readonly answer: TopAnswer;
  readonly fragmentation: number | undefined;
  /** Undefined at the first look. */
  readonly rates: SampleRates | undefined;
  /** RSS at the last looks, in bytes, the newest last. */
  readonly residentHistory: readonly number[];
}

/** What the agent of a process said. */
export type TopAnswer =
  | { readonly kind: 'sample'; readonly sample: MemorySample }
  /** It has not answered yet: `process` is what the kernel says. `stopped`: by SIGSTOP or a debugger. */
  | {
      readonly kind: 'silent';
      readonly forMs: number;
      readonly stopped: boolean;
      readonly process: ProcessMemory | undefined;
    }
  /** It cannot be asked: in a few words, why. */
  | { readonly kind: 'failed'; readonly detail: string; readonly process: ProcessMemory | undefined };

/** What the kernel says of a process, whether its agent answered or not. */
export function memoryOf({ answer }: Pick<TopProcess, 'answer'>): ProcessMemory | undefined {
  return answer.kind === 'sample' ? answer.sample.process : answer.process;
}

/** By what the lines of `jem top` are sorted, and the key that does it. */
export const TOP_SORTS = {
  rss: 'r',
  allocated: 'a',
  fragmentation: 'f',
  growth: 'g',
  requests: 'n',
  dirty: 'd',
  cpu: 'c',
  pid: 'p',
  name: 'm',
} as const;

/** A key of {@link TOP_SORTS}. */
export type TopSort = keyof typeof TOP_SORTS;

const VALUES: Readonly<Record<Exclude<TopSort, 'name'>, (process: TopProcess) => number | undefined>> = {
  rss: (process) => memoryOf(process)?.residentBytes,
  allocated: ({ answer }) => (answer.kind === 'sample' ? answer.sample.jemalloc?.allocatedBytes : undefined),
  fragmentation: ({ fragmentation }) => fragmentation,
  growth: ({ rates }) => rates?.residentBytesPerSecond,
  requests: ({ rates }) => rates?.requestsPerSecond,
  dirty: ({ answer }) => (answer.kind === 'sample' ? answer.sample.jemalloc?.dirtyBytes : undefined),
  cpu: ({ rates }) => rates?.processors,
  pid: ({ pid }) => pid,
};

/** Sorted: the largest first (pids and names: the first of them), or the other way round. What was not measured comes last. */
export function sortTop(processes: readonly TopProcess[], sort: TopSort, reversed: boolean): TopProcess[] {
  const direction = (sort === 'pid' || sort === 'name') === reversed ? -1 : 1;
  const byPid = (a: TopProcess, b: TopProcess) => a.pid - b.pid;
  if (sort === 'name') return [...processes].sort((a, b) => direction * a.name.localeCompare(b.name) || byPid(a, b));
  const value = VALUES[sort];
  return [...processes].sort((a, b) => {
    const [left, right] = [value(a), value(b)];
    if (left === undefined || right === undefined) {
      return Number(left === undefined) - Number(right === undefined) || byPid(a, b);
    }
    return direction * (left - right) || byPid(a, b);
  });
}
