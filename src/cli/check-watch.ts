import { startAgentProfiler, stopAgentProfiler } from '../control/agent/profile-agent.js';
import type { WatchAction } from '../control/watch/watch-actions.js';
import { JemkitError } from '../errors.js';
import { MEMORY_SERIES, type MemorySeriesName } from '../model/memory-series.js';
import type { AgentConnection } from '../sources/agent/agent-connection.js';
import { openAgent } from '../sources/agent/open-agent.js';
import { readProcessSample } from '../sources/agent/read-sample.js';
import { lookUpCommand } from '../sources/process/resolve-program.js';
import { openAgentOf, openJemallocOf } from './choose-process.js';
import type { CommandContext } from './command.js';

const WHAT = { verb: 'watch', needs: 'process' } as const;

/**
 * Throws where there is no program to start.
 *
 * @throws JemkitError ERR_JEM_PROGRAM_NOT_FOUND, ERR_JEM_PROGRAM_NOT_EXECUTABLE.
 */
export function checkWatchProgram([program = '']: readonly string[]): void {
  const found = lookUpCommand(program, process.env['PATH']);
  if (found.kind === 'not-found') {
    throw new JemkitError('ERR_JEM_PROGRAM_NOT_FOUND', `no program '${program}' that --do exec could start`, {
      hint: 'check the spelling, or give its path; for a line of shell: -- sh -c "…"',
    });
  }
  if (found.kind === 'not-executable') {
    throw new JemkitError('ERR_JEM_PROGRAM_NOT_EXECUTABLE', `cannot execute ${found.path}: ${found.reason}`);
  }
}

/** What a watch has changed in the process for its own time. */
export interface WatchPreparation {
  /** Takes it back. */
  end(): Promise<void>;
}

const NOTHING: WatchPreparation = { end: async () => {} };

async function stopSampling(pid: number, { terminal }: CommandContext): Promise<void> {
  const opening = await openAgent(pid);
  // It has ended, or answers nobody any more: then nothing of it is left, or can be changed.
  if (opening.kind !== 'open') return;
  try {
    await stopAgentProfiler(opening.agent);
    terminal.say(`jem: allocations of ${pid} are sampled no longer`);
  } finally {
    opening.agent.close();
  }
}

async function prepareProfiling(agent: AgentConnection, context: CommandContext): Promise<WatchPreparation> {
  const { pid, hello } = agent;
  if (!hello.profilingEnabled) {
    const why = hello.profilingCompiledIn
      ? 'its heap profiling was not switched on at its start'
      : 'its jemalloc was built without heap profiling';
    throw new JemkitError('ERR_JEM_MALLCTL', `process ${pid} cannot dump a heap profile: ${why}`, {
      hint: hello.profilingCompiledIn
        ? 'start it with: jem run --agent --conf prof:true,lg_prof_sample:19 -- PROGRAM …'
        : 'use a jemalloc that was built with --enable-prof: Debian’s and Ubuntu’s are',
    });
  }
  const active = await agent.read('prof.active');
  if (active.kind !== 'value' || active.value) return NOTHING;
  const started = await startAgentProfiler(agent);
  if (started.kind !== 'done') return NOTHING;
  context.terminal.say(
    `jem: allocations of ${pid} are sampled from now on, until the watch ends: a dump has what is allocated meanwhile`,
  );
  return { end: () => stopSampling(pid, context) };
}

/**
 * Finds out before a watch begins whether what is wanted can be had, and has allocations sampled where they are to be dumped.
 *
 * @throws JemkitError that says what is missing, and how to start the program so that it is there.
 */
export async function checkWatch(
  pid: number,
  of: MemorySeriesName,
  action: WatchAction['kind'],
  context: CommandContext,
): Promise<WatchPreparation> {
  const { from } = MEMORY_SERIES[of];
  const steers = action === 'purge' || action === 'decay' || action === 'dump';
  if (!steers && from === 'kernel') return NOTHING;
  const agent = await (steers || from === 'jemalloc' ? openJemallocOf(pid, WHAT) : openAgentOf(pid, WHAT));
  try {
    const sample = await readProcessSample(pid, agent);
    if (sample && MEMORY_SERIES[of].of(sample) === undefined) {
      throw new JemkitError('ERR_JEM_NO_AGENT', `process ${pid} does not tell ${of} (${MEMORY_SERIES[of].doc})`, {
        hint: from === 'v8' ? 'call createMemory() of jemkit in the program, or watch --of rss' : 'watch --of rss',
      });
    }
    return action === 'dump' ? await prepareProfiling(agent, context) : NOTHING;
  } finally {
    agent.close();
  }
}
