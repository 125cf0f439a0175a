import { connect, type Socket } from 'node:net';
import { isSystemError } from '../../errors.js';
import { WIRE, type WireOperation } from '../../model/agent-wire.js';
import { encodeQuestion, openAnswerFraming, type WireAnswer } from './wire-messages.js';

/** Why there is no (further) answer. */
export type ConversationFailure =
  /** The other side, or we, hung up. */
  | { readonly kind: 'closed' }
  | { readonly kind: 'silent'; readonly afterMs: number; readonly receivedBytes: number }
  /** What came is no answer to what was asked. */
  | { readonly kind: 'disorder'; readonly detail: string }
  | { readonly kind: 'version'; readonly theirs: number }
  /** Longer than a question may be; nothing was sent. */
  | { readonly kind: 'too-long' };

/** Questions and their answers, in order, over one connection. */
export interface AgentConversation {
  ask(
    operation: WireOperation,
    payload: Uint8Array | undefined,
    timeoutMs: number,
  ): Promise<WireAnswer | ConversationFailure>;
  close(): void;
}

/** Whether something that came is an answer. */
export function isAnswer(outcome: WireAnswer | ConversationFailure): outcome is WireAnswer {
  return 'payload' in outcome;
}

interface Waiting {
  readonly id: number;
  readonly settle: (outcome: WireAnswer | ConversationFailure) => void;
}

/** Talks over a connected socket. While nothing is asked the socket does not keep this process alive. */
export function openConversation(socket: Socket): AgentConversation {
  const framing = openAnswerFraming();
  const waiting: Waiting[] = [];
  let failure: ConversationFailure | undefined;
  let lastId = 0;
  socket.unref();

  const fail = (reason: ConversationFailure) => {
    failure ??= reason;
    socket.destroy();
    for (const { settle } of waiting.splice(0)) settle(failure);
  };
  const receive = (answer: WireAnswer) => {
    if (answer.version !== WIRE.version) return fail({ kind: 'version', theirs: answer.version });
    const first = waiting[0];
    if (first?.id !== answer.id) {
      const detail = first ? `it answered question ${answer.id} before ${first.id}` : 'it answered what nobody asked';
      return fail({ kind: 'disorder', detail });
    }
    waiting.shift();
    if (waiting.length === 0) socket.unref();
    first.settle(answer);
  };
  socket.on('data', (chunk: Buffer) => {
    const { answers, disorder } = framing.push(chunk);
    for (const answer of answers) if (!failure) receive(answer);
    if (disorder !== undefined) fail({ kind: 'disorder', detail: disorder });
  });
  // What a socket says of its end (ECONNRESET, EPIPE) all means the same here.
  socket.on('error', () => fail({ kind: 'closed' }));
  socket.on('close', () => fail({ kind: 'closed' }));

  return {
    ask(operation, payload, timeoutMs) {
      if (failure) return Promise.resolve(failure);
      lastId = (lastId + 1) >>> 0;
      const id = lastId;
      const question = encodeQuestion(operation, id, payload);
      if (!question) return Promise.resolve({ kind: 'too-long' });
      return new Promise((resolve) => {
        const timer = setTimeout(
          () => fail({ kind: 'silent', afterMs: timeoutMs, receivedBytes: framing.waitingBytes }),
          timeoutMs,
        );
        const settle = (outcome: WireAnswer | ConversationFailure) => {
          clearTimeout(timer);
          resolve(outcome);
        };
        waiting.push({ id, settle });
        socket.ref();
        socket.write(question);
      });
    },
    close: () => fail({ kind: 'closed' }),
  };
}

/** How long a full queue of waiting clients is given before it is tried again. */
const RETRY_MS = 10;

function connectOnce(path: string, timeoutMs: number): Promise<Socket | string> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    const end = (outcome: Socket | string) => {
      clearTimeout(timer);
      socket.removeAllListeners();
      if (typeof outcome === 'string') {
        socket.on('error', () => {});
        socket.destroy();
      }
      resolve(outcome);
    };
    const timer = setTimeout(() => end('ETIMEDOUT'), timeoutMs);
    socket.once('connect', () => end(socket));
    socket.once('error', (error) => end((isSystemError(error) && error.code) || 'EIO'));
  });
}

/** Connects to a socket, again while its queue is full; else the system's name of what is in the way. */
export async function connectTo(path: string, deadlineMs: number): Promise<Socket | string> {
  for (;;) {
    const outcome = await connectOnce(path, Math.max(1, deadlineMs - Date.now()));
    if (outcome !== 'EAGAIN' || Date.now() >= deadlineMs) return outcome;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}
