import { judgeReclaim } from '../../analyses/judge-reclaim.js';
import { readReclaimFigures, reclaimMemory } from '../../control/agent/reclaim-memory.js';
import { purgeAgent } from '../../control/agent/steer-agent.js';
import { describeReclaim, renderReclaimTable } from '../../outputs/text/reclaim-report.js';
import type { AgentConnection } from '../../sources/agent/agent-connection.js';
import { chooseProcess, commandOf, openJemallocOf } from '../choose-process.js';
import { addExamples, type CommandContext, type ConfigureCommand } from '../command.js';
import { checkArena, expectDone, parseArena } from '../steering.js';

interface PurgeOptions {
  readonly arena?: number;
  readonly json?: true;
  readonly dryRun?: true;
}

const WHAT = { verb: 'purge', needs: 'agent' } as const;

async function purge(agent: AgentConnection, options: PurgeOptions, { terminal }: CommandContext): Promise<void> {
  const { arena } = options;
  const { pid } = agent;
  await checkArena(agent, arena);
  const command = commandOf(pid);
  const which = arena === undefined ? 'all arenas' : `arena ${arena}`;
  if (options.dryRun) {
    const before = await readReclaimFigures(agent, arena);
    if (options.json)
      return terminal.print(JSON.stringify({ pid, command, dryRun: true, arena, before }, undefined, 2));
    terminal.print(
      `${terminal.style('bold', `${command} (${pid})`)}: the unused pages of ${which} would be given back`,
    );
    return terminal.print(renderReclaimTable(before, undefined));
  }
  const reclaimed = await reclaimMemory(agent, arena, async () => expectDone(await purgeAgent(agent, arena), 'purge'));
  const verdict = judgeReclaim(reclaimed, true);
  if (options.json) return terminal.print(JSON.stringify({ command, ...reclaimed, verdict }, undefined, 2));
  terminal.print(
    `${terminal.style('bold', `${command} (${pid})`)}: purged ${which} in ${reclaimed.tookMs.toFixed(1)} ms`,
  );
  terminal.print(renderReclaimTable(reclaimed.before, reclaimed.after));
  terminal.print(describeReclaim(reclaimed, verdict));
}

export const configure: ConfigureCommand = (command, context) => {
  command
    .description(
      'Give all memory that jemalloc keeps unused in a process back to the kernel now, and say what came back, as measured before ' +
        'and after. What the program still holds is not touched. The process needs an agent: jem run --agent, or createMemory() in Node.',
    )
    .argument('[target]', 'a pid or the name of a program; the only process with an agent where it is left out')
    .option('--arena <index>', 'only this arena', parseArena)
    .option('--dry-run', 'only say what there is to give back')
    .option('--json', 'print JSON')
    .action(async (target: string | undefined, options: PurgeOptions) => {
      const pid = await chooseProcess(target, context, WHAT);
      const agent = await openJemallocOf(pid, WHAT);
      try {
        await purge(agent, options, context);
      } finally {
        agent.close();
      }
    });
  addExamples(command, [
    ['jem purge 4711', 'give back what is unused'],
    ['jem purge redis-server', 'the same, by its name'],
    ['jem purge 4711 --dry-run', 'how much is there?'],
  ]);
};
