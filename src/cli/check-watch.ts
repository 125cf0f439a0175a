import type { WatchAction } from '../control/watch/watch-actions.js';
import { JemkitError } from '../errors.js';
import { MEMORY_SERIES, type MemorySeriesName } from '../model/memory-series.js';
import type { AgentConnection } from '../sources/agent/agent-connection.js';
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

async function checkProfiling(agent: AgentConnection, { terminal }: CommandContext): Promise<void> {
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
  if (active.kind === 'value' && active.value === false) {
    terminal.say(
      `jem: profiling is not active in ${pid}, so a dump will hold next to nothing; switch it on with: jem ctl ${pid} set prof.active true`,
    );
  }
}

/**
 * Finds out before a watch begins whether what is wanted can be had.
 *
 * @throws JemkitError that says what is missing, and how to start the program so that it is there.
 */
export async function checkWatch(
  pid: number,
  of: MemorySeriesName,
  action: WatchAction['kind'],
  context: CommandContext,
): Promise<void> {
  const { from } = MEMORY_SERIES[of];
  const steers = action === 'purge' || action === 'decay' || action === 'dump';
  if (!steers && from === 'kernel') return;
  const agent = await (steers || from === 'jemalloc' ? openJemallocOf(pid, WHAT) : openAgentOf(pid, WHAT));
  try {
    if (action === 'dump') await checkProfiling(agent, context);
    const sample = await readProcessSample(pid, agent);
    if (sample && MEMORY_SERIES[of].of(sample) === undefined) {
      throw new JemkitError('ERR_JEM_NO_AGENT', `process ${pid} does not tell ${of} (${MEMORY_SERIES[of].doc})`, {
        hint: from === 'v8' ? 'call createMemory() of jemkit in the program, or watch --of rss' : 'watch --of rss',
      });
    }
  } finally {
    agent.close();
  }
}
