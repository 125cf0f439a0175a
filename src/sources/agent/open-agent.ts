import { constants } from 'node:os';
import { JemkitError } from '../../errors.js';
import type { AgentAbsence, AgentHello } from '../../model/agent.js';
import { WIRE, WIRE_STATUSES, type WireOperation } from '../../model/agent-wire.js';
import type { MallctlRead } from '../../model/mallctl-outcome.js';
import { findReadableKey, parseMallctlValue } from '../mallctl/read-mallctl.js';
import type { AgentAnswer, AgentConnection } from './agent-connection.js';
import {
  type AgentConversation,
  type ConversationFailure,
  connectTo,
  isAnswer,
  openConversation,
} from './agent-conversation.js';
import { answerError, brokenOff, detailOf, failureOf, hasEnded, startOf } from './agent-failures.js';
import { type AgentFolder, type AgentSocket, openAgentFolder } from './agent-folder.js';
import { parseCounters, SELECTED_COUNTERS } from './counters.js';
import { parseNodeFacts } from './parse-node-facts.js';
import { encodeRead, encodeSelect, parseHello, parseNodeAnswer, parseSample, parseValue } from './wire-messages.js';

/** An agent to talk to, or why there is none. */
export type AgentOpening = { readonly kind: 'open'; readonly agent: AgentConnection } | AgentAbsence;

/** How an agent is opened. */
export interface OpenAgentOptions {
  /** How long the process may take to introduce itself, in milliseconds; 3000 where it is not said. */
  readonly timeoutMs?: number;
}

const GREETING_MS = 3000;
/** Giving back a hundred gigabytes takes the kernel seconds. */
const ANSWER_MS = 60_000;

interface Introduced {
  readonly pid: number;
  readonly start: number | undefined;
  readonly socket: AgentSocket;
  readonly hello: AgentHello;
  readonly clockOffsetNs: bigint;
  readonly conversation: AgentConversation;
}

function openConnection({ pid, start, socket, hello, clockOffsetNs, conversation }: Introduced): AgentConnection {
  let selected: Promise<AgentAnswer> | undefined;
  const senseless = (operation: WireOperation) =>
    new JemkitError(
      'ERR_JEM_AGENT_UNRESPONSIVE',
      `the agent of process ${pid}: its answer to '${operation}' cannot be read`,
    );
  const request = async (operation: WireOperation, payload?: Buffer): Promise<AgentAnswer> => {
    const outcome = await conversation.ask(operation, payload, ANSWER_MS);
    if (!isAnswer(outcome)) throw await brokenOff(pid, start, outcome);
    return { status: outcome.status, payload: outcome.payload };
  };
  const read = async (key: string, options: { refresh?: boolean } = {}): Promise<MallctlRead<unknown>> => {
    const found = findReadableKey(key);
    if (found.kind !== 'found') return found;
    const { row } = found;
    const answer = await request('read', encodeRead(key, row.type, options.refresh === true));
    if (answer.status === 0) {
      const value = parseValue(answer.payload);
      if (value === undefined) throw senseless('read');
      return parseMallctlValue(row.type, value, true);
    }
    const failure = failureOf(row, answer, found.key.includes('<i>'));
    if (!failure) throw answerError(agent, 'read', answer.status);
    return failure;
  };
  const agent: AgentConnection = {
    pid,
    hello,
    path: socket.path,
    request,
    read: read as AgentConnection['read'],
    async sample() {
      if (hello.jemallocVersion === undefined) return undefined;
      selected ??= request('select', encodeSelect(SELECTED_COUNTERS));
      const [choice, answer] = await Promise.all([selected, request('sample')]);
      for (const [operation, { status }] of [['select', choice] as const, ['sample', answer] as const])
        if (status !== 0) throw answerError(agent, operation, status);
      const sample = parseSample(answer.payload, SELECTED_COUNTERS.length);
      if (!sample) throw senseless('sample');
      return parseCounters(sample.values);
    },
    async statsText(options = '') {
      const { status, payload } = await request('stats', Buffer.from(options, 'utf8'));
      if (status === WIRE_STATUSES.noJemalloc) return '';
      if (status !== 0) throw answerError(agent, 'stats', status);
      return payload.toString('utf8');
    },
    async nodeFacts() {
      const { status, payload } = await request('node');
      if (status === constants.errno.ENOENT || status === WIRE_STATUSES.unknownOperation) return undefined;
      if (status !== 0) throw answerError(agent, 'node', status);
      const answer = parseNodeAnswer(payload);
      const facts = answer && parseNodeFacts(answer.text);
      if (!facts) throw senseless('node');
      const nowNs = process.hrtime.bigint() + clockOffsetNs;
      return { facts, ageMs: Math.max(0, Number(nowNs - answer.atNs) / 1e6) };
    },
    close: conversation.close,
  };
  return agent;
}

/** What a failed connect says; undefined for a socket that nobody listens on. */
function explainConnect(code: string, folder: AgentFolder, path: string): AgentAbsence | undefined {
  if (code === 'ECONNREFUSED' || code === 'ENOENT') return undefined;
  if (code === 'EACCES' || code === 'EPERM') return { kind: 'not-permitted', uid: folder.uid };
  if (code === 'EAGAIN' || code === 'ETIMEDOUT') {
    return { kind: 'unresponsive', detail: 'too many others wait to talk to it' };
  }
  return { kind: 'foreign', path, detail: `the system says ${code}` };
}

async function greet(folder: AgentFolder, socket: AgentSocket, deadlineMs: number): Promise<AgentOpening | undefined> {
  const { pid, ownPid } = folder;
  const start = startOf(pid);
  const connected = await connectTo(folder.pathFromHere(socket), deadlineMs);
  if (typeof connected === 'string') return explainConnect(connected, folder, socket.path);
  const conversation = openConversation(connected);
  const outcome = await conversation.ask('hello', undefined, Math.max(1, deadlineMs - Date.now()));
  if (!isAnswer(outcome)) {
    if (outcome.kind === 'version') return { kind: 'version-mismatch', theirs: outcome.theirs, ours: WIRE.version };
    if (await hasEndedMeanwhile(pid, start, outcome)) return { kind: 'gone' };
    return { kind: 'unresponsive', detail: detailOf(pid, outcome) };
  }
  const parsed = outcome.status === 0 ? parseHello(outcome.payload, process.hrtime.bigint()) : undefined;
  if (parsed && parsed.hello.pid === ownPid) {
    return { kind: 'open', agent: openConnection({ pid, start, socket, conversation, ...parsed }) };
  }
  conversation.close();
  return parsed
    ? { kind: 'foreign', path: socket.path, detail: `the process that answers says its pid is ${parsed.hello.pid}` }
    : { kind: 'unresponsive', detail: `its greeting cannot be read (status ${outcome.status})` };
}

const hasEndedMeanwhile = (pid: number, start: number | undefined, failure: ConversationFailure) =>
  failure.kind === 'closed' ? hasEnded(pid, start) : Promise.resolve(startOf(pid) !== start);

/**
 * Opens a conversation with the agent in a process: with the addon's where there are two, since it knows more. Close it.
 *
 * @returns what stands in the way where there is nobody to talk to; it throws only what nobody foresaw.
 */
export async function openAgent(pid: number, options: OpenAgentOptions = {}): Promise<AgentOpening> {
  const opening = openAgentFolder(pid);
  if (opening.kind !== 'open') return opening;
  const { folder } = opening;
  const deadlineMs = Date.now() + (options.timeoutMs ?? GREETING_MS);
  let absence: AgentAbsence | undefined;
  try {
    for (const socket of folder.sockets) {
      const greeting = await greet(folder, socket, deadlineMs);
      if (greeting?.kind === 'open' || greeting?.kind === 'gone') return greeting;
      absence ??= greeting;
    }
  } finally {
    folder.close();
  }
  if (absence) return absence;
  return startOf(pid) === undefined ? { kind: 'gone' } : { kind: 'no-agent' };
}
