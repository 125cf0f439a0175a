import type { Argument, Command, Option } from 'commander';
import { PRELOADABLE_ALLOCATORS } from '../model/allocator.js';
import type { CommandTree, OfferedConfOption, OfferedValue, TreeArgument, TreeOption } from '../model/command-tree.js';
import { MALLCTL_KEYS } from '../model/mallctl-keys.js';
import { MALLOC_CONF_OPTIONS, type OptionRow } from '../model/malloc-conf-options.js';
import { PRESETS } from '../model/malloc-conf-presets.js';
import { MEMORY_SERIES_NAMES } from '../model/memory-series.js';
import { PROFILE_GROUPINGS } from '../model/profile-report.js';

const PRESET_NAMES: OfferedValue = { kind: 'words', words: [...Object.keys(PRESETS), 'none'] };

/** The three actions, and the keys that have no index to be filled in. */
const CTL_WORDS = ['get', 'set', 'list', ...Object.keys(MALLCTL_KEYS).filter((key) => !key.includes('<'))];

/** What a value of this name is where no list of choices says it, in all commands or (`COMMAND NAME`) in one. */
const VALUES_BY_NAME: Readonly<Record<string, OfferedValue>> = {
  path: { kind: 'file' },
  file: { kind: 'file' },
  folder: { kind: 'folder' },
  pid: { kind: 'process' },
  target: { kind: 'process' },
  pairs: { kind: 'malloc-conf' },
  string: { kind: 'malloc-conf' },
  command: { kind: 'program' },
  'doctor words': { kind: 'process' },
  'record words': { kind: 'process' },
  'watch words': { kind: 'process' },
  recordings: { kind: 'file' },
  profiles: { kind: 'file' },
  'ctl words': { kind: 'words', words: CTL_WORDS },
  'presets name': { kind: 'words', words: Object.keys(PRESETS) },
};

/** Options whose values the command checks itself, with a better message than a list of choices gives. */
const VALUES_BY_FLAG: Readonly<Record<string, OfferedValue>> = {
  '--preset': PRESET_NAMES,
  '--allocator': { kind: 'words', words: PRELOADABLE_ALLOCATORS },
  '--of': { kind: 'words', words: MEMORY_SERIES_NAMES },
  '--by': { kind: 'words', words: PROFILE_GROUPINGS },
  '--series': { kind: 'words', words: MEMORY_SERIES_NAMES },
};

function offered(name: string, choices: readonly string[] | undefined, command: Command): OfferedValue {
  if (choices) return { kind: 'words', words: choices };
  return VALUES_BY_NAME[`${command.name()} ${name}`] ?? VALUES_BY_NAME[name] ?? { kind: 'free' };
}

function readOption(option: Option, command: Command): TreeOption {
  const valueName = /[<[]([^\]>.]+)/.exec(option.flags)?.[1] ?? '';
  const known = option.argChoices ? undefined : VALUES_BY_FLAG[option.long ?? ''];
  return {
    flags: [option.short, option.long].filter((flag) => flag !== undefined),
    summary: option.description,
    value: option.required || option.optional ? (known ?? offered(valueName, option.argChoices, command)) : undefined,
    valueName,
    valueOptional: option.optional,
  };
}

function readArgument(argument: Argument, command: Command): TreeArgument {
  const value = offered(argument.name(), argument.argChoices, command);
  return { name: argument.name(), value, variadic: argument.variadic };
}

/** Reads a commander command and all below it, `help` and `--help` included and hidden ones left out. */
export function readCommandTree(command: Command): CommandTree {
  const help = command.createHelp();
  const commands = help.visibleCommands(command).map((child): CommandTree => {
    if (child.name() !== 'help') return readCommandTree(child);
    const names = command.commands.map((sibling) => sibling.name());
    const words: OfferedValue = { kind: 'words', words: names };
    return {
      name: 'help',
      summary: child.description(),
      options: [],
      arguments: [{ name: 'command', value: words, variadic: false }],
      programAfterDashes: false,
      commands: [],
    };
  });
  const args = command.registeredArguments.map((argument) => readArgument(argument, command));
  return {
    name: command.name(),
    summary: command.summary() || command.description(),
    options: help.visibleOptions(command).map((option) => readOption(option, command)),
    arguments: args,
    programAfterDashes: args.some(({ value }) => value.kind === 'program') || /\s-- /.test(command.usage()),
    commands,
  };
}

/** The options of MALLOC_CONF that a current jemalloc reads, as a shell offers them. */
export function offeredConfOptions(): OfferedConfOption[] {
  const rows: Readonly<Record<string, OptionRow>> = MALLOC_CONF_OPTIONS;
  return Object.entries(rows)
    .filter(([, row]) => row.removedIn === undefined)
    .map(([key, row]) => ({
      key,
      values: row.type === 'bool' ? ['true', 'false'] : [...(row.values ?? []), ...(row.words ?? [])],
      summary: row.doc,
    }));
}
