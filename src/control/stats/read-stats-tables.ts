import type { AllocatorStats, MutexStats } from '../../model/allocator-stats.js';
import type { AgentConnection } from '../../sources/agent/agent-connection.js';
import { parseStatsJson } from '../../sources/agent/parse-stats-json.js';

/** A table of `jem stats`. */
export type StatsTable = 'arenas' | 'bins' | 'extents' | 'mutexes';

/** What each table needs, as options of `malloc_stats_print`: each letter leaves a part out. */
const OMITTED: Readonly<Record<StatsTable, string>> = {
  arenas: 'blxeh',
  bins: 'adlxeh',
  extents: 'adbxh',
  mutexes: 'adleh',
};

/** All of the parts that no wanted table needs; of an empty list, none. */
export function omittedBy(tables: readonly StatsTable[]): string {
  const [first, ...others] = tables.map((table) => OMITTED[table]);
  return [...(first ?? '')].filter((letter) => others.every((other) => other.includes(letter))).join('');
}

/** Reads what one table shows, and no more. */
export async function readStatsTable(agent: AgentConnection, table: StatsTable): Promise<AllocatorStats> {
  const stats = parseStatsJson(await agent.statsText(`J${OMITTED[table]}`));
  return table === 'mutexes' ? completeMutexes(agent, stats) : stats;
}

const COUNTERS = {
  waits: 'num_wait',
  spinAcquisitions: 'num_spin_acq',
  ownerSwitches: 'num_owner_switch',
  totalWaitNs: 'total_wait_time',
  maxWaitNs: 'max_wait_time',
} as const satisfies Partial<Record<keyof MutexStats, string>>;

async function completeMutex(agent: AgentConnection, prefix: string, mutex: MutexStats): Promise<MutexStats> {
  if (!mutex.operations) return mutex;
  const names = (Object.keys(COUNTERS) as (keyof typeof COUNTERS)[]).filter((name) => mutex[name] === undefined);
  const values = await Promise.all(names.map((name) => agent.read(`${prefix}.${COUNTERS[name]}`)));
  const read = values.map((outcome, at) => [names[at], outcome.kind === 'value' ? Number(outcome.value) : undefined]);
  return { ...mutex, ...(Object.fromEntries(read) as Partial<MutexStats>) };
}

/** Reads one by one the counters that the JSON of some releases has under wrong names. */
async function completeMutexes(agent: AgentConnection, stats: AllocatorStats): Promise<AllocatorStats> {
  const { merged } = stats;
  const mutexes = Promise.all(stats.mutexes.map((mutex) => completeMutex(agent, `stats.mutexes.${mutex.name}`, mutex)));
  if (!merged) return { ...stats, mutexes: await mutexes };
  const ofArenas = merged.mutexes?.map((mutex) =>
    completeMutex(agent, `stats.arenas.4096.mutexes.${mutex.name}`, mutex),
  );
  const bins = merged.bins?.map(async (bin, at) => ({
    ...bin,
    mutex: bin.mutex && (await completeMutex(agent, `stats.arenas.4096.bins.${at}.mutex`, bin.mutex)),
  }));
  return {
    ...stats,
    mutexes: await mutexes,
    merged: { ...merged, mutexes: ofArenas && (await Promise.all(ofArenas)), bins: bins && (await Promise.all(bins)) },
  };
}
