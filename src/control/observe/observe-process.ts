import type { BufferFacts, NodeFacts } from '../../model/node-facts.js';
import {
  type AgentStart,
  nodeCountsAsked,
  publishNodeFacts,
  startAgent,
  stopAgent,
  withdrawNodeFacts,
} from '../../native.js';
import { readNodeFacts } from '../../sources/node/read-node-facts.js';

/** Makes a Node process observable for as long as it is open. */
export interface Observation {
  /** What became of the agent; undefined where the addon has none. */
  readonly agent: AgentStart | undefined;
  close(): void;
}

/** Reading and publishing costs 12 to 20 µs. */
const INTERVAL_MS = 1000;
/** A count is told for a minute; later it would pass for the present. */
const COUNT_KEPT_MS = 60_000;

function publish(facts: NodeFacts, buffers: BufferFacts | undefined): void {
  const isolates = buffers ? facts.isolates.map((isolate) => ({ ...isolate, buffers })) : facts.isolates;
  publishNodeFacts(JSON.stringify({ ...facts, isolates }));
}

/** The host must not notice what goes wrong here: without its count it is as it was. */
async function tryCount(): Promise<BufferFacts | undefined> {
  try {
    const { measureBuffers } = await import('../../sources/node/measure-buffers.js');
    return measureBuffers();
  } catch {
    return undefined;
  }
}

/**
 * On globalThis: a thread may hold several copies of jemkit, and the first of them to close must not end it for the others. What one copy
 * has begun only that copy can end: to the addon each is another environment.
 */
interface ThreadObservation {
  observers: number;
  agent: AgentStart | undefined;
  /** Ends what was begun; undefined where nothing was. */
  stop: (() => void) | undefined;
}

const OBSERVATION = Symbol.for('jemkit.observation');
const shared = globalThis as { [OBSERVATION]?: ThreadObservation };

function thisThread(): ThreadObservation {
  shared[OBSERVATION] ??= { observers: 0, agent: undefined, stop: undefined };
  return shared[OBSERVATION];
}

/** Gives what ends it. */
function startPublishing(): () => void {
  let answered = nodeCountsAsked();
  let buffers: BufferFacts | undefined;
  let ended = false;
  const turn = () => {
    if (buffers && Date.now() - buffers.atMs > COUNT_KEPT_MS) buffers = undefined;
    publish(readNodeFacts(), buffers);
    const asked = nodeCountsAsked();
    if (asked === answered) return;
    answered = asked;
    tryCount().then((counted) => {
      if (!counted || ended) return;
      buffers = counted;
      publish(readNodeFacts(), buffers);
    });
  };
  const timer = setInterval(turn, INTERVAL_MS).unref();
  turn();
  return () => {
    ended = true;
    clearInterval(timer);
    withdrawNodeFacts();
    stopAgent();
  };
}

/**
 * Makes this process observable: jemkit's agent answers other processes of the same user, and this thread tells it once a second what V8 says of
 * its heap. Called again (also in worker threads, each of which tells of its own heap) it counts; the last `close` ends it for the thread. Where
 * the addon or the system does not allow an agent nothing happens.
 */
export function observeProcess(): Observation {
  const thread = thisThread();
  let open = true;
  if (thread.observers++ === 0) {
    thread.agent = startAgent();
    thread.stop = thread.agent?.kind === 'open' ? startPublishing() : undefined;
  }
  return {
    agent: thread.agent,
    close() {
      if (!open) return;
      open = false;
      if (--thread.observers > 0) return;
      thread.stop?.();
      thread.stop = undefined;
    },
  };
}
