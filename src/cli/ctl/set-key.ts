import { parseMallctlInput } from '../../analyses/mallctl-input.js';
import { readArenaCount } from '../../control/agent/decay-times.js';
import { writeAgentKey } from '../../control/agent/steer-agent.js';
import { expectedValue, prepareWrite } from '../../control/mallctl/write-mallctl.js';
import { JemkitError } from '../../errors.js';
import type { MallctlRead } from '../../model/mallctl-outcome.js';
import { formatMallctlValue } from '../../outputs/text/mallctl-value.js';
import { quoteForShell } from '../../outputs/text/shell-quote.js';
import { renderTable } from '../../outputs/text/table.js';
import type { AgentConnection } from '../../sources/agent/agent-connection.js';
import { chooseProcess, commandOf, openJemallocOf } from '../choose-process.js';
import type { CommandContext } from '../command.js';
import { whyAbsent } from './absent-key.js';
import { jsonValue, type KeyArgument, keyError, parseKeyArgument } from './key-arguments.js';

/** How a key is set. */
export interface SetOptions {
  readonly json: boolean;
  readonly dryRun: boolean;
}

type Input = boolean | bigint | string | undefined;

/** What a key takes, with the forms a person may type. */
function expectedWords({ row }: KeyArgument): string {
  if (row.unit === 'ms') return 'milliseconds (0: at once, -1: for ever), or 500ms, 10s, 5m';
  return row.unit === 'bytes' ? `${expectedValue(row)}, or 64KiB, 1.5GiB` : expectedValue(row);
}

/** The value of a word, by the key. Throws ERR_JEM_MALLCTL for one the key does not take, before any process is asked. */
function parseValue(argument: KeyArgument, word: string | undefined): Input {
  const { name, typed, row } = argument;
  const read = word === undefined ? undefined : parseMallctlInput(row, word);
  // jemalloc's answer to other negative times is EFAULT, which tells nobody anything.
  const value = row.unit === 'ms' && typeof read === 'bigint' && read < -1n ? undefined : read;
  // A word that is no value of the type must not pass for no value at all.
  const prepared = prepareWrite(name, word !== undefined && value === undefined ? Symbol('none') : value);
  if (prepared.kind === 'ready') return prepared.value;
  if (prepared.kind === 'wrong-value') {
    const received = word === undefined ? 'none' : `'${word}'`;
    throw new JemkitError('ERR_JEM_MALLCTL', `'${typed}' received ${received}, expected ${expectedWords(argument)}`, {
      hint: row.doc,
      details: { key: name, received: word, expected: prepared.expected },
    });
  }
  throw keyError(typed, prepared as Parameters<typeof keyError>[1]);
}

/** What does the same without harm. */
const otherWay = ({ key }: KeyArgument, pid: number) =>
  key === 'prof.dump' ? `for a heap profile: jem watch ${pid} --limit 1 --once --do dump --into /tmp` : undefined;

const canBeRead = ({ row }: KeyArgument) => row.access === 'read-write';

async function readValue(agent: AgentConnection, argument: KeyArgument): Promise<MallctlRead<unknown> | undefined> {
  return canBeRead(argument) ? agent.read(argument.name) : undefined;
}

function valueIn(read: MallctlRead<unknown> | undefined): unknown {
  if (read?.kind === 'value') return read.value;
  return read?.kind === 'inexact' ? read.exact : undefined;
}

function valueWords(argument: KeyArgument, read: MallctlRead<unknown> | undefined): string {
  const value = valueIn(read);
  if (value !== undefined) return formatMallctlValue(argument.row, value);
  return read?.kind === 'unset' ? '(not set)' : '-';
}

const changeWords = (before: string, after: string) =>
  before === after ? `${after} (as it was)` : `${before} → ${after}`;

/** What a person must know beside the new value. */
function notesOn({ key, name }: KeyArgument, value: Input, before: unknown, pid: number): string[] {
  const notes: string[] = [];
  const decay = /^arenas\.(dirty|muzzy)_decay_ms$/.exec(key)?.[1];
  if (decay) {
    notes.push(
      `only arenas that are made from now on take it; for those there are, and new ones: jem decay ${pid} --${decay}-ms ${value}`,
    );
  }
  if (before !== undefined && String(before) !== String(value))
    notes.push(`to undo: jem ctl ${pid} set ${name} ${quoteForShell(String(before))}`);
  return notes;
}

/** `jem ctl [target] set KEY [VALUE]`. */
export async function setKey(
  target: string | undefined,
  [keyWord = '', valueWord]: readonly string[],
  options: SetOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal } = context;
  const argument = parseKeyArgument(keyWord);
  const value = parseValue(argument, valueWord);
  const { name, row } = argument;
  const rest = ['set', keyWord, ...(valueWord === undefined ? [] : [quoteForShell(valueWord)])].join(' ');
  const what = { verb: 'ctl', needs: 'agent', rest } as const;
  const pid = await chooseProcess(target, context, what);
  const agent = await openJemallocOf(pid, what);
  try {
    const command = commandOf(pid);
    const before = await readValue(agent, argument);
    if (before?.kind === 'absent') throw await absent(argument, agent);
    const wanted = value === undefined ? '' : formatMallctlValue(row, value);
    if (!options.dryRun) {
      const written = await writeAgentKey(agent, name, value);
      if (written.kind === 'absent') throw await absent(argument, agent);
      if (written.kind === 'no-jemalloc' || written.kind === 'wrong-value')
        throw new JemkitError('ERR_JEM_MALLCTL', `'${name}' was not set (${written.kind})`);
      if (written.kind !== 'done') throw keyError(argument.typed, written, otherWay(argument, pid));
    }
    const after = options.dryRun ? undefined : await readValue(agent, argument);
    const notes = notesOn(argument, value, valueIn(before), pid);
    if (options.json) {
      terminal.print(
        JSON.stringify(
          {
            pid,
            command,
            key: name,
            dryRun: options.dryRun,
            before: jsonValue(valueIn(before)),
            after: jsonValue(options.dryRun ? value : (valueIn(after) ?? value)),
            ...(row.unit && { unit: row.unit }),
            notes,
          },
          undefined,
          2,
        ),
      );
      return;
    }
    const change = canBeRead(argument)
      ? changeWords(valueWords(argument, before), options.dryRun ? wanted : valueWords(argument, after))
      : value === undefined
        ? options.dryRun
          ? 'would be triggered'
          : 'triggered'
        : `→ ${wanted}`;
    terminal.print(
      renderTable([[argument.typed, options.dryRun ? `${change}  (dry run: nothing was changed)` : change]]),
    );
    for (const note of notes) terminal.say(note);
  } finally {
    agent.close();
  }
}

async function absent(argument: KeyArgument, agent: AgentConnection): Promise<JemkitError> {
  const why = whyAbsent(agent, argument, await readArenaCount(agent));
  return new JemkitError('ERR_JEM_MALLCTL', `process ${agent.pid} does not have '${argument.typed}': ${why}`, {
    details: { key: argument.name },
  });
}
