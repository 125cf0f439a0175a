import { analyseSampleRates, fragmentationOf, residentOverheadOf } from '../../analyses/sample-rates.js';
import { analyseSizeClassWaste } from '../../analyses/size-class-waste.js';
import { remarkOn } from '../../analyses/stats-remark.js';
import type { AllocatorStats } from '../../model/allocator-stats.js';
import type { MemorySample } from '../../model/memory-sample.js';
import type { DecayRange, StatsReport } from '../../model/stats-report.js';
import type { AgentConnection } from '../../sources/agent/agent-connection.js';
import { parseStatsJson } from '../../sources/agent/parse-stats-json.js';
import { readProcessSample } from '../../sources/agent/read-sample.js';

/** What the report says of a process besides figures. */
export interface StatsSubject {
  readonly name: string;
  readonly user: string | undefined;
  /** The sample before, for rates. */
  readonly before: MemorySample | undefined;
  /** Bytes for people, for the sentence at the end. */
  readonly bytes: (bytes: number) => string;
}

/** Options of `malloc_stats_print`, each letter leaving a part out: what is not shown is not asked for. */
const PAGE = { sumAndBins: 'Jadxleh', arenas: 'Jgmdblxeh' } as const;

function decayRange(stats: AllocatorStats): DecayRange {
  const range = (pick: (arena: AllocatorStats['arenas'][number]) => number | undefined) => {
    const values = stats.arenas.map(pick).filter((value) => value !== undefined);
    if (values.length === 0) return undefined;
    const order = (ms: number) => (ms < 0 ? Infinity : ms);
    const sorted = values.sort((a, b) => order(a) - order(b));
    return [sorted[0]!, sorted.at(-1)!] as const;
  };
  return { dirtyMs: range(({ dirtyDecayMs }) => dirtyDecayMs), muzzyMs: range(({ muzzyDecayMs }) => muzzyDecayMs) };
}

const booleanOf = (value: unknown) => (typeof value === 'boolean' ? value : undefined);
const numberOf = (value: unknown) => (typeof value === 'number' ? value : undefined);

function tcacheOf({ options }: AllocatorStats): StatsReport['tcache'] {
  const lg = numberOf(options.get('lg_tcache_max'));
  return {
    enabled: booleanOf(options.get('tcache')),
    maxBytes: numberOf(options.get('tcache_max')) ?? (lg === undefined ? undefined : 2 ** lg),
  };
}

/**
 * Everything that the page of `jem stats` shows, measured now; undefined where the process has ended.
 *
 * @throws JemkitError ERR_JEM_AGENT_LOST, ERR_JEM_AGENT_UNRESPONSIVE, ERR_JEM_STATS_FORMAT.
 */
export async function examineStats(
  agent: AgentConnection,
  { name, user, before, bytes }: StatsSubject,
): Promise<StatsReport | undefined> {
  const { pid, hello } = agent;
  const sample = await readProcessSample(pid, agent);
  if (!sample) return undefined;
  const empty = {
    pid,
    name,
    user,
    sample,
    agent: hello,
    fragmentation: fragmentationOf(sample),
    residentOverhead: residentOverheadOf(sample),
    rates: before && analyseSampleRates(before, sample),
  };
  if (!sample.jemalloc) {
    return {
      ...empty,
      arenasInUse: undefined,
      countsKept: undefined,
      backgroundThread: undefined,
      decay: { dirtyMs: undefined, muzzyMs: undefined },
      tcache: { enabled: undefined, maxBytes: undefined },
      waste: undefined,
      remark: undefined,
    };
  }
  const [sumText, arenasText, background] = await Promise.all([
    agent.statsText(PAGE.sumAndBins),
    agent.statsText(PAGE.arenas),
    agent.read('background_thread'),
  ]);
  const sum = parseStatsJson(sumText);
  const arenas = parseStatsJson(arenasText);
  const enabled = background.kind === 'value' ? booleanOf(background.value) : undefined;
  const countsKept = booleanOf(sum.config.get('stats'));
  const bins = sum.merged?.bins;
  const waste = bins && analyseSizeClassWaste(bins);
  return {
    ...empty,
    // One there always is: none means that the agent did not ask for single ones.
    arenasInUse: countsKept === false ? undefined : arenas.arenas.length || undefined,
    countsKept,
    backgroundThread: {
      threads: undefined,
      runs: undefined,
      runIntervalNs: undefined,
      ...sum.backgroundThread,
      enabled,
    },
    decay: decayRange(arenas),
    tcache: tcacheOf(sum),
    waste,
    remark: countsKept === false ? undefined : remarkOn({ pid, sample, waste, backgroundThread: enabled, bytes }),
  };
}
