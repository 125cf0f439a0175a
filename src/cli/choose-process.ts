import { readFileSync, readlinkSync } from 'node:fs';
import { allocatorWords, explainAgentAbsence, startWithAgent } from '../analyses/explain-agent-absence.js';
import { processNames } from '../analyses/process-names.js';
import { shortCommand } from '../analyses/short-command.js';
import { unavailableProcess } from '../analyses/unavailable-process.js';
import { collectStaleSockets } from '../control/agent/collect-stale-sockets.js';
import { openImageFactsCache } from '../control/cache/image-facts-cache.js';
import { JemkitError, optional } from '../errors.js';
import type { AllocatorIdentity } from '../model/allocator-identity.js';
import { formatBytes } from '../outputs/text/bytes.js';
import { printable, renderTable } from '../outputs/text/table.js';
import type { AgentConnection } from '../sources/agent/agent-connection.js';
import { listAgents } from '../sources/agent/list-agents.js';
import { openAgent } from '../sources/agent/open-agent.js';
import { identifyAllocator } from '../sources/process/identify-allocator.js';
import { libraryCacheFolders } from '../sources/process/jemkit-folders.js';
import { readUserNames } from '../sources/process/list-processes.js';
import { openImageReader } from '../sources/process/mapped-images.js';
import { openProcessView } from '../sources/process/process-view.js';
import { listRunningProcesses, type RunningProcess, readRunningProcess } from '../sources/process/running-processes.js';
import { readProcessStat } from '../sources/procfs/process-stat.js';
import { parseThreadGroup } from '../sources/procfs/process-status.js';
import { readStartEnvironment } from '../sources/procfs/process-strings.js';
import { askForNumber, canAsk } from './ask-for-number.js';
import type { CommandContext } from './command.js';
import { requireProc } from './require-proc.js';

/** What a process is wanted for. */
export interface ProcessWanted {
  /** The command, for hints: `stats`. */
  readonly verb: string;
  /** Something inside the process must answer, or it is looked at from outside. */
  readonly needs: 'agent' | 'process';
  /** What follows the pid in hints: `get stats.allocated`. */
  readonly rest?: string;
}

/** Larger than any pid of Linux (PID_MAX_LIMIT). */
const MAX_PID = 4_194_304;

/** As many as fit a screen. */
const MOST_LISTED = 20;

/** How the command is typed for a process. */
const forPid = ({ verb, rest }: ProcessWanted, pid: number | string) => `jem ${verb} ${pid}${rest ? ` ${rest}` : ''}`;

const asRoot = () => process.geteuid?.() === 0;
/** A process for people: its program, and its script. */
export const commandOf = (pid: number): string => {
  const found = readRunningProcess(pid);
  return found ? printable(shortCommand(found.argv) || found.commandName) : '';
};

function checkPid(text: string, what: ProcessWanted): number {
  const pid = Number(text);
  if (pid < 1 || pid > MAX_PID) {
    throw new JemkitError('ERR_JEM_USAGE', `'${text}' is no pid (expected a number from 1 to ${MAX_PID})`, {
      hint: 'jem ps lists the processes',
    });
  }
  const asking = { command: `jem ${what.verb}`, asRoot: asRoot() };
  const stat = optional(() => readProcessStat(pid));
  if (!stat) throw unavailableProcess(pid, 'gone', undefined, asking);
  if (stat.kernelThread) throw unavailableProcess(pid, 'kernel-thread', stat.commandName, asking);
  if ('ZX'.includes(stat.state)) throw unavailableProcess(pid, 'zombie', stat.commandName, asking);
  // /proc answers for a thread's number too, without listing it.
  const group = optional(() => parseThreadGroup(readFileSync(`/proc/${pid}/status`, 'latin1')));
  if (group !== undefined && group !== pid) {
    throw new JemkitError('ERR_JEM_NO_SUCH_PROCESS', `${pid} is a thread of process ${group} (${commandOf(group)})`, {
      hint: forPid(what, group),
    });
  }
  return pid;
}

function listed(candidates: readonly RunningProcess[]): readonly RunningProcess[] {
  return [...candidates]
    .sort((a, b) => (b.residentBytes ?? 0) - (a.residentBytes ?? 0) || a.pid - b.pid)
    .slice(0, MOST_LISTED);
}

function renderCandidates(candidates: readonly RunningProcess[], numbered: boolean): string {
  const users = readUserNames();
  const rows = listed(candidates).map(({ pid, uid, residentBytes, argv, commandName }, at) => [
    numbered ? `${at + 1})` : '',
    String(pid),
    uid === undefined ? '-' : (users.get(uid) ?? String(uid)),
    formatBytes(residentBytes),
    shortCommand(argv) || commandName,
  ]);
  const table = renderTable(rows, {
    header: ['', 'PID', 'USER', 'RSS', 'COMMAND'],
    align: ['right', 'right', 'left', 'right'],
  });
  const more = candidates.length - rows.length;
  return more > 0 ? `${table}\nand ${more} more: jem ps` : table;
}

/** The only one of several, or the one that the person at the terminal says. */
async function choose(
  candidates: readonly RunningProcess[],
  question: string,
  { terminal }: CommandContext,
  what: ProcessWanted,
): Promise<number> {
  const [first] = candidates;
  if (first && candidates.length === 1) return first.pid;
  if (!canAsk(terminal)) {
    throw new JemkitError('ERR_JEM_USAGE', `${question}\n${renderCandidates(candidates, false)}`, {
      hint: `say which by its pid: ${forPid(what, listed(candidates)[0]?.pid ?? 'PID')}`,
    });
  }
  terminal.say(`${question}\n${renderCandidates(candidates, true)}`);
  const order = listed(candidates);
  const chosen = order[(await askForNumber(terminal, order.length)) - 1];
  if (!chosen) throw new JemkitError('ERR_JEM_USAGE', 'no process was chosen', { hint: forPid(what, 'PID') });
  return chosen.pid;
}

/** Those a user may ask; all of them for root. */
const ownOf = (candidates: readonly RunningProcess[]) =>
  candidates.filter(({ uid }) => asRoot() || uid === process.geteuid?.());

function chooseByName(name: string, context: CommandContext, what: ProcessWanted): Promise<number> {
  const all = listRunningProcesses();
  const named = all.filter(({ argv, commandName }) => processNames(argv, commandName).includes(name));
  if (named.length === 0) {
    const folded = name.toLowerCase();
    const nearly = all.find((one) =>
      processNames(one.argv, one.commandName).some((other) => other.toLowerCase().includes(folded)),
    );
    throw new JemkitError('ERR_JEM_NO_SUCH_PROCESS', `no process that this user may see is called '${name}'`, {
      hint: nearly
        ? `did you mean ${nearly.pid} (${printable(shortCommand(nearly.argv) || nearly.commandName)})?`
        : 'jem ps lists the processes; a name is that of the program or of its script, a pid is always clear',
    });
  }
  const own = ownOf(named);
  const usable = own.length > 0 ? own : named;
  const agents = new Set(what.needs === 'agent' ? listAgents().map(({ pid }) => pid) : []);
  const withAgent = usable.filter(({ pid }) => agents.has(pid));
  const candidates = withAgent.length > 0 ? withAgent : usable;
  return choose(candidates, `${candidates.length} processes are called '${printable(name)}'`, context, what);
}

async function chooseFromAll(context: CommandContext, what: ProcessWanted): Promise<number> {
  await collectStaleSockets(process.env, process.geteuid?.());
  const own = ownOf(listRunningProcesses());
  const agents = new Set(listAgents().map(({ pid }) => pid));
  const withAgent = own.filter(({ pid }) => agents.has(pid));
  if (withAgent.length === 0 && what.needs === 'agent') {
    throw new JemkitError('ERR_JEM_NO_AGENT', 'no process here has an agent of jemkit that could be asked', {
      hint: "start one with it: jem run --agent -- PROGRAM …; or call createMemory() of 'jemkit' in a Node program",
    });
  }
  if (withAgent.length > 0)
    return choose(withAgent, `${withAgent.length} processes have an agent of jemkit`, context, what);
  if (own.length === 0) throw new JemkitError('ERR_JEM_NO_SUCH_PROCESS', 'there is no other process of this user');
  return choose(own, `${own.length} processes could be meant`, context, what);
}

/**
 * The process that a command is for: by its pid, by a name that one process has, or the only one that comes into question. Where there
 * are several, a person at a terminal is asked; without one they are listed, and the exit code is 2. This process and those above
 * it are never meant by a name.
 *
 * @throws JemkitError ERR_JEM_USAGE, ERR_JEM_NO_SUCH_PROCESS, ERR_JEM_NO_AGENT.
 */
export async function chooseProcess(
  target: string | undefined,
  context: CommandContext,
  what: ProcessWanted,
): Promise<number> {
  requireProc(what.verb);
  if (target === undefined) return chooseFromAll(context, what);
  if (/^\d+$/.test(target)) return checkPid(target, what);
  if (target === '')
    throw new JemkitError('ERR_JEM_USAGE', 'the name of the process is empty', { hint: 'jem ps lists the processes' });
  return chooseByName(target, context, what);
}

function identify(pid: number): AllocatorIdentity {
  const cache = openImageFactsCache(libraryCacheFolders(process.env, process.geteuid?.())[0]);
  const view = openProcessView(pid);
  try {
    return identifyAllocator(view, openImageReader(cache), 'quick');
  } finally {
    view.close();
    cache.save();
  }
}

/** True where a process sees other files than we do; where that cannot be told, they are taken for ours. */
const hasOtherFiles = (pid: number) =>
  ['ns/mnt', 'root'].some((name) => {
    const theirs = optional(() => readlinkSync(`/proc/${pid}/${name}`));
    return theirs !== undefined && theirs !== optional(() => readlinkSync(`/proc/self/${name}`));
  });

/**
 * Opens the agent of a process. Close it.
 *
 * @throws JemkitError that says what is there instead, and how to start the program so that it can be asked.
 */
export async function openAgentOf(pid: number, what: ProcessWanted): Promise<AgentConnection> {
  const opening = await openAgent(pid);
  if (opening.kind === 'open') return opening.agent;
  const asking = { command: `jem ${what.verb}`, asRoot: asRoot() };
  if (opening.kind === 'gone') throw unavailableProcess(pid, 'gone', undefined, asking);
  const identity = identify(pid);
  if (identity.kind === 'gone' || identity.kind === 'zombie' || identity.kind === 'kernel-thread')
    throw unavailableProcess(pid, identity.kind, optional(() => readProcessStat(pid))?.commandName, asking);
  const uid = opening.kind === 'not-permitted' ? opening.uid : undefined;
  throw explainAgentAbsence(opening, {
    pid,
    command: commandOf(pid),
    identity,
    user: uid === undefined ? undefined : readUserNames().get(uid),
    ownUid: process.geteuid?.(),
    otherFiles: hasOtherFiles(pid),
    agentVariable: optional(() => readStartEnvironment(pid).get('JEMKIT_AGENT')),
    asked: forPid(what, pid),
  });
}

/**
 * {@link openAgentOf} a process whose jemalloc is wanted.
 *
 * @throws JemkitError also ERR_JEM_NO_JEMALLOC where the process has an agent, and another allocator.
 */
export async function openJemallocOf(pid: number, what: ProcessWanted): Promise<AgentConnection> {
  const agent = await openAgentOf(pid, what);
  if (agent.hello.jemallocVersion !== undefined) return agent;
  agent.close();
  const command = commandOf(pid);
  const words = allocatorWords(identify(pid)) ?? 'another allocator than jemalloc';
  throw new JemkitError('ERR_JEM_NO_JEMALLOC', `process ${pid} (${command}) is served by ${words}`, {
    hint: startWithAgent({ command, otherFiles: hasOtherFiles(pid) }),
    details: { pid },
  });
}
