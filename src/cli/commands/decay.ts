import { InvalidArgumentError } from 'commander';
import { groupDecayTimes, undoDecay } from '../../analyses/decay-change.js';
import { judgeReclaim } from '../../analyses/judge-reclaim.js';
import { type PageKind, readDecayTimes, writeDecayTimes } from '../../control/agent/decay-times.js';
import { readReclaimFigures, reclaimMemory } from '../../control/agent/reclaim-memory.js';
import { decayAgent } from '../../control/agent/steer-agent.js';
import type { DecayChange } from '../../model/decay-change.js';
import { parseDuration } from '../../model/duration.js';
import { renderDecayChanges } from '../../outputs/text/decay-change.js';
import { describeReclaim, renderReclaimTable } from '../../outputs/text/reclaim-report.js';
import type { AgentConnection } from '../../sources/agent/agent-connection.js';
import { chooseProcess, commandOf, openJemallocOf } from '../choose-process.js';
import { addExamples, type CommandContext, type ConfigureCommand } from '../command.js';
import { checkArena, expectDone, parseArena, refusedKey } from '../steering.js';

interface DecayOptions {
  readonly arena?: number;
  readonly dirtyMs?: number;
  readonly muzzyMs?: number;
  readonly json?: true;
  readonly dryRun?: true;
}

const WHAT = { verb: 'decay', needs: 'agent' } as const;

/** jemalloc's largest: a time in nanoseconds has 64 bits. */
const MOST_MS = 18_446_744_073_709;

function parseMs(text: string): number {
  const ms = /^-?\d+$/.test(text) ? Number(text) : parseDuration(text);
  if (ms === undefined || !Number.isInteger(ms) || ms < -1 || ms > MOST_MS) {
    throw new InvalidArgumentError('expected milliseconds (0: at once, -1: for ever), or 500ms, 10s, 5m.');
  }
  return ms;
}

/** What the times are now, and will be. */
async function planChanges(agent: AgentConnection, options: DecayOptions): Promise<DecayChange[]> {
  const wanted: readonly (readonly [PageKind, number | undefined])[] = [
    ['dirty', options.dirtyMs],
    ['muzzy', options.muzzyMs],
  ];
  const changes: DecayChange[] = [];
  for (const [pages, toMs] of wanted) {
    if (toMs === undefined) continue;
    const { ofNewArenasMs, ofArenasMs } = await readDecayTimes(agent, pages);
    const { arena } = options;
    const groups =
      arena === undefined
        ? groupDecayTimes(ofNewArenasMs, ofArenasMs)
        : groupDecayTimes(undefined, new Map([...ofArenasMs].filter(([index]) => index === arena)));
    changes.push({ pages, toMs, groups });
  }
  return changes;
}

async function applyChanges(agent: AgentConnection, changes: readonly DecayChange[]): Promise<void> {
  for (const { pages, toMs, groups } of changes) {
    const arenas = groups.flatMap((group) => group.arenas ?? []);
    const newArenas = groups.some((group) => group.arenas === undefined);
    const failed = await writeDecayTimes(agent, pages, toMs, arenas, newArenas);
    if (failed) throw refusedKey(failed.key, failed.failure);
  }
}

async function decay(agent: AgentConnection, options: DecayOptions, { terminal }: CommandContext): Promise<void> {
  const { arena } = options;
  const { pid } = agent;
  await checkArena(agent, arena);
  const command = commandOf(pid);
  const head = terminal.style('bold', `${command} (${pid})`);
  const which = arena === undefined ? 'all arenas' : `arena ${arena}`;
  const changes = await planChanges(agent, options);
  if (options.dryRun) {
    const before = await readReclaimFigures(agent, arena);
    if (options.json)
      return terminal.print(JSON.stringify({ pid, command, dryRun: true, arena, changes, before }, undefined, 2));
    terminal.print(`${head}: pages of ${which} that are past their decay time would be given back`);
    if (changes.length > 0) terminal.print(renderDecayChanges(changes));
    return terminal.print(renderReclaimTable(before, undefined));
  }
  const reclaimed = await reclaimMemory(agent, arena, async () => {
    await applyChanges(agent, changes);
    expectDone(await decayAgent(agent, arena), 'decay');
  });
  const verdict = judgeReclaim(reclaimed, false);
  const undo = undoDecay(pid, changes);
  if (options.json)
    return terminal.print(JSON.stringify({ command, ...reclaimed, changes, undo, verdict }, undefined, 2));
  terminal.print(`${head}: decayed ${which} in ${reclaimed.tookMs.toFixed(1)} ms`);
  if (changes.length > 0) terminal.print(renderDecayChanges(changes));
  terminal.print(renderReclaimTable(reclaimed.before, reclaimed.after));
  terminal.print(describeReclaim(reclaimed, verdict));
  if (undo.length > 0) terminal.say(`to undo: ${undo.join(' && ')}`);
}

export const configure: ConfigureCommand = (command, context) => {
  command
    .description(
      'Give back what jemalloc keeps unused in a process beyond its decay times. With --dirty-ms or --muzzy-ms, set these times first: ' +
        'for the arenas that there are and for new ones, until the process ends. jemalloc then gives back at once what is unused.',
    )
    .argument('[target]', 'a pid or the name of a program; the only process with an agent where it is left out')
    .option('--arena <index>', 'only this arena', parseArena)
    .option('--dirty-ms <ms>', 'how long dirty pages stay: 0 not at all, -1 for ever; also 10s, 5m', parseMs)
    .option('--muzzy-ms <ms>', 'the same for muzzy pages, which the kernel may take when it needs memory', parseMs)
    .option('--dry-run', 'only say what would change')
    .option('--json', 'print JSON')
    .action(async (target: string | undefined, options: DecayOptions) => {
      const pid = await chooseProcess(target, context, WHAT);
      const agent = await openJemallocOf(pid, WHAT);
      try {
        await decay(agent, options, context);
      } finally {
        agent.close();
      }
    });
  addExamples(command, [
    ['jem decay 4711', 'give back what is past its time'],
    ['jem decay 4711 --dirty-ms 1000', 'from now on, unused pages stay for a second'],
    ['jem decay redis-server --dirty-ms 0 --dry-run', 'what would change?'],
  ]);
};
