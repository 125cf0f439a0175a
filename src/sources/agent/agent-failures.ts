import { JemkitError } from '../../errors.js';
import { WIRE, WIRE_STATUSES, type WireOperation } from '../../model/agent-wire.js';
import type { MallctlRow } from '../../model/mallctl-keys/row.js';
import type { MallctlFailure } from '../../model/mallctl-outcome.js';
import { explainRefusal } from '../mallctl/read-mallctl.js';
import { readProcessStat } from '../procfs/process-stat.js';
import type { AgentAnswer, AgentConnection } from './agent-connection.js';
import type { ConversationFailure } from './agent-conversation.js';
import { parseTrueSize } from './wire-messages.js';

/** How long a process that hung up may take to be seen ended. */
const ENDING_MS = 1000;

/** The moment a process started, which tells it from a later one with its number; undefined where it has ended. */
export function startOf(pid: number): number | undefined {
  try {
    const stat = readProcessStat(pid);
    return stat && !'ZX'.includes(stat.state) ? stat.startTicks : undefined;
  } catch {
    return undefined;
  }
}

function isStopped(pid: number): boolean {
  try {
    return 'Tt'.includes(readProcessStat(pid)?.state ?? '-');
  } catch {
    return false;
  }
}

/** A process that is killed closes its sockets before it is gone. */
export async function hasEnded(pid: number, start: number | undefined): Promise<boolean> {
  for (const until = Date.now() + ENDING_MS; ; ) {
    if (start === undefined || startOf(pid) !== start) return true;
    if (Date.now() > until) return false;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** What a silence, or a wrong answer, looks like from here. */
export function detailOf(pid: number, failure: Exclude<ConversationFailure, { kind: 'version' }>): string {
  switch (failure.kind) {
    case 'closed':
      return 'it closed the connection before it answered';
    case 'disorder':
      return failure.detail;
    case 'too-long':
      return `a question may have at most ${WIRE.questionMaxBytes} bytes`;
    case 'silent': {
      const seconds = failure.afterMs / 1000;
      if (isStopped(pid)) return `the process is stopped (by SIGSTOP or a debugger): no answer in ${seconds} s`;
      return failure.receivedBytes > 0
        ? `it stopped in the middle of an answer, ${seconds} s ago`
        : `it took the connection, and gave no answer in ${seconds} s`;
    }
  }
}

/** The error for a conversation that broke off. */
export async function brokenOff(
  pid: number,
  start: number | undefined,
  failure: ConversationFailure,
): Promise<JemkitError> {
  if (failure.kind === 'version') {
    return new JemkitError('ERR_JEM_AGENT_VERSION', `the agent of process ${pid} changed to version ${failure.theirs}`);
  }
  if (failure.kind === 'too-long') return new JemkitError('ERR_JEM_USAGE', detailOf(pid, failure));
  if (failure.kind === 'closed') {
    const ended = await hasEnded(pid, start);
    return new JemkitError(
      'ERR_JEM_AGENT_LOST',
      ended ? `process ${pid} ended before it answered` : `process ${pid}: ${detailOf(pid, failure)}`,
      { details: { pid, ended } },
    );
  }
  return new JemkitError('ERR_JEM_AGENT_UNRESPONSIVE', `the agent of process ${pid}: ${detailOf(pid, failure)}`, {
    hint: `jem doctor ${pid} looks at it from outside`,
    details: { pid },
  });
}

/** The error for an answer that only a bug, or another release, can give. */
export function answerError(agent: AgentConnection, operation: WireOperation, status: number): JemkitError {
  const who = `the agent of process ${agent.pid} (jemkit ${agent.hello.jemkitVersion})`;
  if (status === WIRE_STATUSES.unknownOperation) {
    return new JemkitError('ERR_JEM_AGENT_VERSION', `${who} is older than this jemkit and cannot do '${operation}'`, {
      hint: 'start the process again with this jemkit',
    });
  }
  const what = status === WIRE_STATUSES.tooLarge ? 'has no memory for the answer' : `answered with status ${status}`;
  return new JemkitError('ERR_JEM_AGENT_UNRESPONSIVE', `${who} ${what} to '${operation}'`);
}

const OF_ONE_THREAD = "it is one thread's, and the agent could only ask for its own";

/** What a status other than 0 means for a key; undefined for one that only a bug gives. */
export function failureOf(
  row: MallctlRow,
  { status, payload }: AgentAnswer,
  ofArena: boolean,
): MallctlFailure | undefined {
  if (status > 0) return explainRefusal({ errno: status, bytes: parseTrueSize(payload) }, row.type, ofArena);
  if (status === WIRE_STATUSES.noJemalloc) return { kind: 'no-jemalloc' };
  if (status !== WIRE_STATUSES.refused) return undefined;
  const reason = row.refused ?? (row.thread ? OF_ONE_THREAD : 'it could take the process down');
  return { kind: 'refused', reason };
}
