import type { AgentHello } from '../../model/agent.js';
import type { WireOperation } from '../../model/agent-wire.js';
import type { MallctlValue, ReadableName } from '../../model/mallctl-keys.js';
import type { MallctlRead } from '../../model/mallctl-outcome.js';
import type { JemallocFigures } from '../../model/memory-sample.js';
import type { NodeFacts } from '../../model/node-facts.js';

/** What an agent answered. */
export interface AgentAnswer {
  /** 0, an error number of the C library, or one of WIRE_STATUSES. */
  readonly status: number;
  readonly payload: Buffer;
}

/** How a key is read. */
export interface AgentReadOptions {
  /** Takes new statistics first; without it `stats.*` are as of the last time somebody did. */
  readonly refresh?: boolean;
}

/** What JavaScript in a process said of its isolates, and how long ago. */
export interface AgedNodeFacts {
  readonly facts: NodeFacts;
  readonly ageMs: number;
}

/**
 * An open conversation with the agent of a process. Questions may be asked without waiting for the answers before; while none is
 * open it does not keep this process alive.
 *
 * Everything rejects with a JemkitError: ERR_JEM_AGENT_LOST where the process ends (or the connection does) before the answer,
 * ERR_JEM_AGENT_UNRESPONSIVE where no answer comes, or one that makes no sense.
 */
export interface AgentConnection {
  /** The pid it was opened by; `hello.pid` is what the process itself sees. */
  readonly pid: number;
  readonly hello: AgentHello;
  /** The socket, as the process sees its files. */
  readonly path: string;
  read<Name extends ReadableName>(key: Name, options?: AgentReadOptions): Promise<MallctlRead<MallctlValue<Name>>>;
  read(key: string, options?: AgentReadOptions): Promise<MallctlRead<unknown>>;
  /** jemalloc's main counters at this moment; undefined without jemalloc. Those of one thread are undefined: it would be the agent's. */
  sample(): Promise<JemallocFigures | undefined>;
  /** What `malloc_stats_print` writes with these options: `J` JSON; `mdablxe…` leave parts out. Empty without jemalloc. */
  statsText(options?: string): Promise<string>;
  /** Undefined where no JavaScript in the process tells. */
  nodeFacts(): Promise<AgedNodeFacts | undefined>;
  request(operation: WireOperation, payload?: Buffer): Promise<AgentAnswer>;
  close(): void;
}
