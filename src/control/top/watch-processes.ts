import { analyseSampleRates, fragmentationOf } from '../../analyses/sample-rates.js';
import { shortCommand } from '../../analyses/short-command.js';
import type { MemorySample } from '../../model/memory-sample.js';
import type { SampleRates } from '../../model/stats-report.js';
import { memoryOf, type TopProcess } from '../../model/top-process.js';
import { type AgentPoll, openAgentPoll, type PolledProcess } from '../../sources/agent/poll-agents.js';
import { readUserNames } from '../../sources/process/list-processes.js';
import { readRunningProcess } from '../../sources/process/running-processes.js';

/** Looks at all processes with an agent, and remembers what is needed for rates and history. */
export interface ProcessWatch {
  look(timeoutMs: number): Promise<TopProcess[]>;
  close(): void;
}

const HISTORY = 60;
/** Threads' caches report now and then what was asked of them: over a short time the count stands still, and then leaps. */
const REQUESTS_OVER_MS = 10_000;
/** A program may give itself another title. */
const NAME_EVERY_LOOKS = 10;

interface Remembered {
  name: string;
  user: string | undefined;
  looks: number;
  /** The samples of the last seconds, the oldest first; none since it last did not answer. */
  samples: MemorySample[];
  history: number[];
}

const isRecent = (old: MemorySample, now: MemorySample) => now.monotonicMs - old.monotonicMs <= REQUESTS_OVER_MS;

function ratesOf(samples: readonly MemorySample[], now: MemorySample): SampleRates | undefined {
  const last = samples.at(-1);
  const rates = last && analyseSampleRates(last, now);
  const oldest = samples.find((old) => isRecent(old, now)) ?? last;
  const longer = oldest && analyseSampleRates(oldest, now);
  return rates && { ...rates, requestsPerSecond: longer?.requestsPerSecond };
}

/** Opens a watch over all processes that this user may ask; close it. */
export function openProcessWatch(poll: AgentPoll = openAgentPoll()): ProcessWatch {
  const users = readUserNames();
  const known = new Map<number, Remembered>();

  const remembered = (pid: number): Remembered => {
    const before = known.get(pid);
    if (before && before.looks++ % NAME_EVERY_LOOKS !== 0) return before;
    const running = readRunningProcess(pid);
    const uid = running?.uid;
    const one = before ?? { name: '?', user: undefined, looks: 1, samples: [], history: [] };
    if (running) one.name = shortCommand(running.argv) || running.commandName;
    if (uid !== undefined) one.user = users.get(uid) ?? String(uid);
    known.set(pid, one);
    return one;
  };
  const describe = ({ pid, answer }: PolledProcess): TopProcess => {
    const one = remembered(pid);
    const sample = answer.kind === 'sample' ? answer.sample : undefined;
    const residentBytes = memoryOf({ answer })?.residentBytes;
    if (residentBytes !== undefined) one.history = [...one.history, residentBytes].slice(-HISTORY);
    const rates = sample && ratesOf(one.samples, sample);
    one.samples = sample ? [...one.samples.filter((old) => isRecent(old, sample)), sample] : [];
    return {
      pid,
      name: one.name,
      user: one.user,
      answer,
      fragmentation: sample && fragmentationOf(sample),
      rates,
      residentHistory: one.history,
    };
  };

  return {
    async look(timeoutMs) {
      const polled = await poll.look(timeoutMs);
      const present = new Set(polled.map(({ pid }) => pid));
      for (const pid of known.keys()) if (!present.has(pid)) known.delete(pid);
      return polled.map(describe);
    },
    close: () => poll.close(),
  };
}
