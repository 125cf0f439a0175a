import { readArenaCount } from '../../control/agent/decay-times.js';
import type { MallctlRead } from '../../model/mallctl-outcome.js';
import { formatMallctlValue } from '../../outputs/text/mallctl-value.js';
import { renderTable } from '../../outputs/text/table.js';
import type { AgentConnection } from '../../sources/agent/agent-connection.js';
import { findReadableKey } from '../../sources/mallctl/read-mallctl.js';
import { chooseProcess, commandOf, openJemallocOf } from '../choose-process.js';
import type { CommandContext } from '../command.js';
import { waitForNextLook } from '../next-look.js';
import { whyAbsent } from './absent-key.js';
import { jsonValue, type KeyArgument, keyError, parseKeyArgument } from './key-arguments.js';

/** How keys are read. */
export interface GetOptions {
  readonly json: boolean;
  /** Again and again, so far apart. */
  readonly intervalMs: number | undefined;
}

/** What reading a key gave that can be shown. */
type Shown = Extract<MallctlRead<unknown>, { readonly kind: 'value' | 'unset' | 'inexact' | 'absent' | 'no-jemalloc' }>;

interface ReadKey {
  readonly argument: KeyArgument;
  readonly read: Shown;
  /** Why it is absent. */
  readonly why?: string;
}

/** Keys of one moment: the first takes new statistics. */
async function readKeys(agent: AgentConnection, keys: readonly KeyArgument[]): Promise<ReadKey[]> {
  const reads = await Promise.all(keys.map(({ name }, at) => agent.read(name, { refresh: at === 0 })));
  const missesOne = reads.some(({ kind }) => kind === 'absent');
  const arenas = missesOne ? await readArenaCount(agent) : undefined;
  return keys.map((argument, at) => {
    const read = reads[at]!;
    switch (read.kind) {
      case 'absent':
        return { argument, read, why: whyAbsent(agent, argument, arenas) };
      case 'value':
      case 'unset':
      case 'inexact':
      case 'no-jemalloc':
        return { argument, read };
      default:
        throw keyError(argument.typed, read);
    }
  });
}

function words({ argument, read, why }: ReadKey): string {
  switch (read.kind) {
    case 'value':
      return formatMallctlValue(argument.row, read.value);
    case 'inexact':
      return formatMallctlValue(argument.row, read.exact);
    case 'unset':
      return '(not set)';
    case 'absent':
      return `-  (${why})`;
    case 'no-jemalloc':
      return '-  (no jemalloc)';
  }
}

function toJson({ argument: { name, row }, read, why }: ReadKey): Record<string, unknown> {
  const value = read.kind === 'value' ? read.value : read.kind === 'inexact' ? read.exact : undefined;
  return {
    key: name,
    kind: read.kind === 'inexact' ? 'value' : read.kind,
    ...(value === undefined ? {} : { value: jsonValue(value) }),
    ...(why && { why }),
    type: row.type,
    ...(row.unit && { unit: row.unit }),
  };
}

const isThere = ({ read }: ReadKey) => read.kind === 'value' || read.kind === 'unset' || read.kind === 'inexact';

/** `jem ctl [target] get KEY…`. */
export async function getKeys(
  target: string | undefined,
  keyWords: readonly string[],
  options: GetOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal } = context;
  const keys = keyWords.map(parseKeyArgument);
  for (const { name } of keys) {
    const readable = findReadableKey(name);
    if (readable.kind === 'wrong-access' || readable.kind === 'refused') {
      const bare = readable.kind === 'wrong-access' && readable.access === 'trigger';
      throw keyError(name, readable, bare ? `jem ctl ${target ?? 'PID'} set ${name}` : undefined);
    }
  }
  const what = { verb: 'ctl', needs: 'agent', rest: `get ${keyWords.join(' ')}` } as const;
  const pid = await chooseProcess(target, context, what);
  const agent = await openJemallocOf(pid, what);
  const command = commandOf(pid);
  const { jemallocVersion } = agent.hello;
  const show = async () => {
    const read = await readKeys(agent, keys);
    if (!read.every(isThere)) context.exitCode = 3;
    const at = new Date();
    if (options.json) {
      const values = { pid, command, jemallocVersion, at: at.toISOString(), values: read.map(toJson) };
      // Of a series each is one line, so that it can be read while it goes on.
      return terminal.print(JSON.stringify(values, undefined, options.intervalMs === undefined ? 2 : 0));
    }
    const table = renderTable(read.map((one) => [one.argument.typed, words(one)]));
    if (options.intervalMs === undefined) return terminal.print(table);
    const head = `${command} (${pid})  ${at.toLocaleTimeString('en-GB')}`;
    terminal.print(`${terminal.redraws ? '\u001b[H\u001b[2J' : ''}${terminal.style('bold', head)}\n${table}`);
  };
  try {
    for (;;) {
      await show();
      if (options.intervalMs === undefined) return;
      if (!(await waitForNextLook(options.intervalMs, terminal))) return;
    }
  } finally {
    agent.close();
  }
}
