import { isatty } from 'node:tty';
import { mappingOwners } from '../../analyses/mapping-owners.js';
import { analyseResidentBreakdown } from '../../analyses/resident-breakdown.js';
import { analyseResidentVerdict } from '../../analyses/resident-verdict.js';
import { shortCommand } from '../../analyses/short-command.js';
import { openImageFactsCache } from '../../control/cache/image-facts-cache.js';
import { JemkitError } from '../../errors.js';
import type { OwnedMapping } from '../../model/mapping-memory.js';
import type { ProcessMemory } from '../../model/memory-sample.js';
import type { InsideFacts, ResidentBreakdown, ResidentFacts, ResidentVerdict } from '../../model/resident-breakdown.js';
import { formatBytes } from '../../outputs/text/bytes.js';
import {
  renderMappings,
  renderResidentBreakdown,
  renderResidentVerdicts,
} from '../../outputs/text/resident-breakdown.js';
import { printable } from '../../outputs/text/table.js';
import type { AgentConnection } from '../../sources/agent/agent-connection.js';
import { countBuffers, readInsideFacts } from '../../sources/agent/inside-facts.js';
import { openAgent } from '../../sources/agent/open-agent.js';
import { libraryCacheFolders } from '../../sources/process/jemkit-folders.js';
import { type ImageReader, openImageReader } from '../../sources/process/mapped-images.js';
import { readResidentFacts } from '../../sources/process/read-resident-facts.js';
import { readProcessMemory } from '../../sources/procfs/process-memory.js';
import { readCommandLine } from '../../sources/procfs/process-strings.js';
import { chooseProcess } from '../choose-process.js';
import { addExamples, type CommandContext, type ConfigureCommand } from '../command.js';
import { waitForNextLook } from '../next-look.js';
import { readWatchInterval, type WatchValue } from '../watch-interval.js';

interface ExplainOptions {
  readonly deep?: true;
  readonly json?: true;
  readonly mappings?: true;
  readonly watch?: WatchValue;
}

const MAPPINGS_SHOWN = 40;
const SHORTEST_WATCH_MS = 500;

/** One look at a process. */
interface Look {
  readonly command: string;
  readonly facts: ResidentFacts;
  readonly inside: InsideFacts;
  readonly breakdown: ResidentBreakdown;
  readonly verdicts: readonly ResidentVerdict[];
}

function noSuchProcess(pid: number): JemkitError {
  return new JemkitError('ERR_JEM_NO_SUCH_PROCESS', `process ${pid} has ended`, { hint: 'jem ps   # what runs' });
}

/** What everybody may know of a process: its status says how much of RSS is of files, and how much is not. */
function tellSummary(pid: number, memory: ProcessMemory, { terminal }: CommandContext): void {
  terminal.say(
    `jem: of process ${pid} only the kernel's sums can be read: RSS ${formatBytes(memory.residentBytes)}; anonymous ` +
      `${formatBytes(memory.anonymousBytes)}, files ${formatBytes(memory.fileBytes)}, shared memory ${formatBytes(memory.sharedMemoryBytes)}`,
  );
}

function refuse(pid: number, options: ExplainOptions, context: CommandContext): never {
  const memory = readProcessMemory(pid);
  if (memory && options.json)
    context.terminal.print(JSON.stringify({ pid, kind: 'no-permission', memory }, undefined, 2));
  else if (memory) tellSummary(pid, memory, context);
  const isRoot = process.geteuid?.() === 0;
  throw new JemkitError(
    'ERR_JEM_NO_PERMISSION',
    isRoot
      ? `the kernel does not let even root look into process ${pid} from here`
      : `the mappings of process ${pid} belong to another user, or are closed to others`,
    {
      hint: isRoot
        ? 'run jem outside of the container, or give it the capability SYS_PTRACE'
        : `sudo env PATH="$PATH" jem explain ${pid}`,
    },
  );
}

async function tryAgent(pid: number, context: CommandContext): Promise<AgentConnection | undefined> {
  const opening = await openAgent(pid);
  if (opening.kind === 'open') return opening.agent;
  if (opening.kind === 'version-mismatch') {
    context.terminal.say(
      `jem: the agent in process ${pid} speaks version ${opening.theirs} of the protocol, this jem ${opening.ours}: restart it with this jemkit; going on without it`,
    );
  } else if (opening.kind === 'unresponsive' || opening.kind === 'foreign') {
    context.terminal.say(`jem: the agent of process ${pid} cannot be used (${opening.detail}); going on without it`);
  }
  return undefined;
}

/** An agent that is lost in the middle takes nothing away from what shows from outside. */
async function askInside(agent: AgentConnection | undefined, pid: number, { terminal }: CommandContext) {
  try {
    return await readInsideFacts(agent);
  } catch (error) {
    if (!(error instanceof JemkitError)) throw error;
    terminal.say(`jem: process ${pid}: ${error.message}; going on without its agent`);
    return await readInsideFacts(undefined);
  }
}

async function look(
  pid: number,
  agent: AgentConnection | undefined,
  reader: ImageReader,
  options: ExplainOptions,
  context: CommandContext,
): Promise<Look> {
  const inside = await askInside(agent, pid, context);
  const reading = readResidentFacts(pid, reader);
  if (reading.kind === 'gone') throw noSuchProcess(pid);
  if (reading.kind === 'no-permission') return refuse(pid, options, context);
  if (reading.kind === 'no-memory') {
    const what = reading.reason === 'zombie' ? 'has ended and waits for its parent' : 'is a thread of the kernel';
    throw new JemkitError('ERR_JEM_NO_SUCH_PROCESS', `process ${pid} ${what}: it has no memory`, { hint: 'jem ps' });
  }
  const { facts } = reading;
  const breakdown = analyseResidentBreakdown(facts, inside);
  const argv = readCommandLine(pid).map((argument) => argument.toString('utf8'));
  const command = shortCommand(argv);
  return { command, facts, inside, breakdown, verdicts: analyseResidentVerdict(breakdown, facts, inside) };
}

function largestMappings({ facts }: Look): OwnedMapping[] {
  return mappingOwners(facts)
    .filter(({ mapping }) => mapping.residentBytes > 0 || mapping.swapBytes > 0)
    .sort((a, b) => b.mapping.residentBytes - a.mapping.residentBytes)
    .slice(0, MAPPINGS_SHOWN);
}

/** Who told what the figures rest on. */
function witnesses({ facts, inside }: Look): string {
  const { allocator } = facts;
  const allocatorWords =
    allocator.kind !== 'identified'
      ? 'allocator unknown'
      : allocator.allocator === 'system'
        ? `${allocator.libc ?? "the system's"} malloc`
        : `${allocator.allocator}${allocator.version ? ` ${allocator.version}` : ''}`;
  const told = [
    inside.jemalloc ? 'asked inside' : 'seen from outside',
    ...(inside.node
      ? [`Node ${inside.node.nodeVersion}, asked ${((inside.nodeAgeMs ?? 0) / 1000).toFixed(1)} s ago`]
      : []),
  ];
  return [allocatorWords, ...told].join(', ');
}

function renderLook(one: Look, options: ExplainOptions, { terminal }: CommandContext): string {
  const { breakdown } = one;
  const text = {
    ...(isatty(1) ? { maxWidth: terminal.columns } : {}),
    bold: (words: string) => terminal.style('bold', words),
    dim: (words: string) => terminal.style('dim', words),
  };
  const parts = [
    printable(
      `${one.command || 'process'} (pid ${breakdown.pid}): ${witnesses(one)}; PSS ${formatBytes(breakdown.proportionalBytes)}`,
    ),
    renderResidentBreakdown(breakdown, text),
    renderResidentVerdicts(one.verdicts, text),
    ...(options.mappings ? [renderMappings(largestMappings(one), text)] : []),
  ];
  return parts.join('\n\n');
}

function toJson(one: Look, options: ExplainOptions): string {
  const { facts, inside, breakdown, verdicts, command } = one;
  const mappings = largestMappings(one).map(({ mapping, owner, file }) => ({
    ...mapping,
    flags: mapping.flags && [...mapping.flags],
    owner,
    file,
  }));
  return JSON.stringify(
    {
      ...breakdown,
      command,
      allocator: facts.allocator,
      threads: facts.threads.length,
      inside,
      verdicts,
      ...(options.mappings ? { mappings } : {}),
    },
    undefined,
    2,
  );
}

async function countFirst(
  agent: AgentConnection | undefined,
  pid: number,
  { terminal }: CommandContext,
): Promise<void> {
  const outcome = agent ? await countBuffers(agent) : 'nobody-there';
  if (outcome === 'counted') return;
  terminal.say(
    outcome === 'nobody-there'
      ? `jem: nobody in process ${pid} can count its Buffers: that takes jemkit inside (import { createMemory } from 'jemkit'); going on without`
      : `jem: JavaScript in process ${pid} did not answer within 60 s (its event loop is busy); going on without its count of Buffers`,
  );
}

async function explain(word: string | undefined, options: ExplainOptions, context: CommandContext): Promise<void> {
  if (options.watch !== undefined && options.json)
    throw new JemkitError('ERR_JEM_USAGE', '--watch and --json exclude each other', {
      hint: 'run jem explain --json in a loop',
    });
  const asked = { verb: 'explain', shortestMs: SHORTEST_WATCH_MS, mayBeWord: word === undefined };
  const { intervalMs, word: target = word } = readWatchInterval(options.watch, asked);
  const pid = await chooseProcess(target, context, { verb: 'explain', needs: 'process' });
  const cache = openImageFactsCache(libraryCacheFolders(process.env, process.geteuid?.())[0]);
  const reader = openImageReader(cache);
  const agent = await tryAgent(pid, context);
  try {
    if (options.deep) await countFirst(agent, pid, context);
    for (;;) {
      const one = await look(pid, agent, reader, options, context);
      cache.save();
      if (intervalMs === undefined) {
        context.terminal.print(options.json ? toJson(one, options) : renderLook(one, options, context));
        return;
      }
      const { terminal } = context;
      const text = renderLook(one, options, context);
      // What does not fit the screen would scroll the head away; a file takes all of it.
      const fitting = text.split('\n').slice(0, Math.max(1, terminal.lines - 1));
      terminal.print(terminal.redraws ? `\u001b[H\u001b[2J${fitting.join('\n')}` : `${text}\n`);
      if (!(await waitForNextLook(intervalMs, terminal))) return;
    }
  } finally {
    agent?.close();
  }
}

export const configure: ConfigureCommand = (command, context) => {
  command
    .description(
      "Say where every byte of a process's RSS is: V8, malloc and what it wastes, stacks, files, and the rest, which together are the kernel's RSS; " +
        'then in words what stands out and what to do. Works for any process; with an agent or jemkit inside it divides the allocator and V8 too.',
    )
    .argument('[target]', "pid or program's name; without it you choose from what runs")
    .option(
      '--deep',
      'have Node count its Buffers first; the program stands still meanwhile, about 0.4 s for each million JavaScript objects',
    )
    .option('--mappings', 'the largest mappings too, each with whose it is')
    .option('--json', 'print JSON')
    .option('-w, --watch [interval]', 'show again every 2 seconds (or so many, or 500ms, 1m) until interrupted')
    .action((target: string | undefined, options: ExplainOptions) => explain(target, options, context));
  addExamples(command, [
    ['jem explain 4711', 'where the memory of process 4711 is'],
    ['jem explain node --watch 5', 'the same for the program named node, every 5 seconds'],
    ['jem explain 4711 --deep', 'is it small Buffers that hold whole pools?'],
    ['sudo env PATH="$PATH" jem explain 1', "another user's process"],
  ]);
};
