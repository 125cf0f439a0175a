import { WIRE } from '../../model/agent-wire.js';
import type { MallctlType } from '../../model/mallctl-keys/row.js';
import type { AgentConnection } from '../../sources/agent/agent-connection.js';
import { openAgent } from '../../sources/agent/open-agent.js';
import { encodeSelect, parseSample } from '../../sources/agent/wire-messages.js';
import type { AllocationLook } from './follow-process.js';

/** Looks at what a process allocated, again and again. Close it. */
export interface AllocationLooker {
  /** Undefined where nobody answers: before the agent has opened its socket, and while it opens another. */
  look(): Promise<AllocationLook | undefined>;
  close(): void;
}

interface Selection {
  readonly agent: AgentConnection;
  /** By the place in a sample behind the first, which is `stats.allocated`. */
  readonly sizes: readonly number[];
}

async function numberOf(agent: AgentConnection, key: string): Promise<number | undefined> {
  const read = await agent.read(key);
  return read.kind === 'value' ? Number(read.value) : undefined;
}

/** The classes with their sizes, as many as one selection takes: those that are left out are of tens of gigabytes. */
async function readClasses(
  agent: AgentConnection,
): Promise<readonly { readonly name: string; readonly size: number }[]> {
  const [bins = 0, large = 0] = await Promise.all(
    ['arenas.nbins', 'arenas.nlextents'].map((key) => numberOf(agent, key)),
  );
  const classes = [
    ...Array.from({ length: bins }, (_, at) => ['bins', 'bin', at] as const),
    ...Array.from({ length: large }, (_, at) => ['lextents', 'lextent', at] as const),
  ].slice(0, WIRE.selectedMax - 1);
  const sizes = await Promise.all(classes.map(([, kind, at]) => numberOf(agent, `arenas.${kind}.${at}.size`)));
  return classes.map(([group, , at], place) => ({
    name: `stats.arenas.4096.${group}.${at}.nmalloc`,
    size: sizes[place] ?? 0,
  }));
}

async function select(agent: AgentConnection, wantsEver: boolean): Promise<Selection> {
  const classes = wantsEver ? await readClasses(agent) : [];
  const names = [
    { name: 'stats.allocated', type: 'size_t' as MallctlType },
    ...classes.map(({ name }) => ({ name, type: 'uint64_t' as MallctlType })),
  ];
  await agent.request('select', encodeSelect(names));
  return { agent, sizes: classes.map(({ size }) => size) };
}

/** Opens it over a connection of its own: what one has selected is the connection's. */
export function openAllocationLook(pid: number, wantsEver: boolean): AllocationLooker {
  let selection: Selection | undefined;
  const drop = () => {
    selection?.agent.close();
    selection = undefined;
  };
  return {
    async look() {
      try {
        if (!selection) {
          const opening = await openAgent(pid);
          if (opening.kind !== 'open') return undefined;
          selection = await select(opening.agent, wantsEver);
        }
        const { agent, sizes } = selection;
        const { status, payload } = await agent.request('sample');
        const values = status === 0 ? parseSample(payload, sizes.length + 1)?.values : undefined;
        if (!values) return undefined;
        const known = (value: number | undefined) => (value === undefined || Number.isNaN(value) ? undefined : value);
        const ever = sizes.reduce((sum, size, at) => sum + size * (known(values[at + 1]) ?? 0), 0);
        return { heldBytes: known(values[0]), everBytes: wantsEver ? ever : undefined };
      } catch {
        // The process ends, or its agent opens another socket: the next look tells.
        drop();
        return undefined;
      }
    },
    close: drop,
  };
}
