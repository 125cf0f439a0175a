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

let observers = 0;
let agent: AgentStart | undefined;
let timer: NodeJS.Timeout | undefined;

function startPublishing(): void {
  let answered = nodeCountsAsked();
  let buffers: BufferFacts | undefined;
  const turn = () => {
    if (buffers && Date.now() - buffers.atMs > COUNT_KEPT_MS) buffers = undefined;
    publish(readNodeFacts(), buffers);
    const asked = nodeCountsAsked();
    if (asked === answered) return;
    answered = asked;
    tryCount().then((counted) => {
      if (!counted || !timer) return;
      buffers = counted;
      publish(readNodeFacts(), buffers);
    });
  };
  timer = setInterval(turn, INTERVAL_MS).unref();
  turn();
}

/**
 * Makes this process observable: jemkit's agent answers other processes of the same user, and this thread tells it once a second what V8 says of
 * its heap. Called again (also in worker threads, each of which tells of its own heap) it counts; the last `close` ends it for the thread. Where
 * the addon or the system does not allow an agent nothing happens.
 */
export function observeProcess(): Observation {
  let open = true;
  if (observers++ === 0) {
    agent = startAgent();
    if (agent?.kind === 'open') startPublishing();
  }
  return {
    agent,
    close() {
      if (!open) return;
      open = false;
      if (--observers > 0) return;
      if (!timer) return;
      clearInterval(timer);
      timer = undefined;
      withdrawNodeFacts();
      stopAgent();
    },
  };
}
