import { stopAgentProfiler } from '../control/agent/profile-agent.js';
import { openAllocationLook } from '../control/profiling/allocation-look.js';
import { followProcess } from '../control/profiling/follow-process.js';
import { JemkitError } from '../errors.js';
import { startOf } from '../sources/agent/agent-failures.js';
import { openAgent } from '../sources/agent/open-agent.js';
import type { Captures, Started } from './program-captures.js';
import { sleepUntil } from './sleep-until.js';

/** Captures on the way: by time, by bytes, at peaks, and at the end of `--seconds`. */
export async function followTriggers(started: Started, captures: Captures, ended: AbortSignal): Promise<void> {
  const { child, options } = started;
  const { every, atPeak, seconds } = options;
  if (every === undefined && !atPeak && seconds === undefined) return;
  const start = startOf(child.pid);
  const looker = openAllocationLook(child.pid, every?.kind === 'bytes');
  try {
    const end = await followProcess(
      {
        everyMs: every?.kind === 'time' ? every.ms : undefined,
        everyBytes: every?.kind === 'bytes' ? every.bytes : undefined,
        atPeak,
        fromStart: true,
        forMs: seconds,
      },
      {
        now: () => performance.now(),
        sleep: (ms) => sleepUntil(ms, ended),
        isAlive: () => startOf(child.pid) === start,
        isOver: () => ended.aborted,
        look: () => looker.look(),
        capture: (reason) => captures.captureNow(reason),
      },
    );
    if (end !== 'time') return;
    await captures.captureNow('end', every !== undefined || atPeak === true);
    const opening = await openAgent(child.pid);
    if (opening.kind !== 'open') return;
    await stopAgentProfiler(opening.agent);
    opening.agent.close();
  } catch (error) {
    // It ended in the middle.
    if (!(error instanceof JemkitError)) throw error;
  } finally {
    looker.close();
  }
}
