import type { Command } from 'commander';
import { checkMallocConf } from '../../analyses/check-malloc-conf.js';
import { checkPreflight } from '../../analyses/check-preflight.js';
import { explainMallocConf, summarizeMallocConfOptions } from '../../analyses/explain-malloc-conf.js';
import { describeSearch } from '../../control/launch/plan-launch.js';
import { type MallocConfPreflight, preflightMallocConf } from '../../control/launch/preflight-conf.js';
import { findLibrary } from '../../control/library/find-library.js';
import { JemkitError } from '../../errors.js';
import type { AllocatorLibrary } from '../../model/allocator.js';
import { isKnownRelease, type JemallocVersion, parseJemallocVersion } from '../../model/jemalloc-version.js';
import { findOption, MALLOC_CONF_OPTIONS } from '../../model/malloc-conf-options.js';
import { DEFAULT_PRESET, type MallocConfPresetName, PRESETS } from '../../model/malloc-conf-presets.js';
import {
  renderConfExplanations,
  renderConfFindings,
  renderConfOptions,
  renderConfPresets,
} from '../../outputs/text/malloc-conf.js';
import { readLibraryVersion } from '../../sources/elf/library-version.js';
import { resolveProgram } from '../../sources/process/resolve-program.js';
import { addExamples, type CommandContext, type ConfigureCommand } from '../command.js';

interface CheckOptions {
  readonly forVersion?: string;
  readonly library?: string;
  readonly preflight: boolean;
  readonly json?: true;
}

interface VersionOptions {
  readonly forVersion?: string;
  readonly json?: true;
}

const MIN_COLUMNS = 60;
const columnsOf = ({ terminal }: CommandContext) => Math.max(MIN_COLUMNS, Math.min(terminal.columns, 110));
const styleOf =
  ({ terminal }: CommandContext) =>
  (style: Parameters<typeof terminal.style>[0], text: string) =>
    terminal.style(style, text);

function versionFrom(text: string | undefined): JemallocVersion | undefined {
  if (text === undefined) return undefined;
  const version = parseJemallocVersion(text);
  if (version) return version;
  throw new JemkitError('ERR_JEM_USAGE', `--for-version received '${text}', expected a jemalloc version such as 5.2.1`);
}

/** The string to look at: the argument, else the environment's; says which where it was not typed. */
function confFrom(argument: string | undefined, context: CommandContext, quiet: boolean): string {
  if (argument !== undefined) return argument;
  const inherited = process.env['MALLOC_CONF'];
  if (inherited === undefined) {
    throw new JemkitError('ERR_JEM_USAGE', 'nothing to look at: no string was given and MALLOC_CONF is not set', {
      hint: "jem conf check 'background_thread:true,dirty_decay_ms:1000'",
    });
  }
  if (!quiet) context.terminal.say(`jem: reading MALLOC_CONF of the environment: ${inherited}`);
  return inherited;
}

type Library =
  | { readonly kind: 'library'; readonly library: AllocatorLibrary }
  | { readonly kind: 'none'; readonly reason: string };

function libraryFor(options: CheckOptions): Library {
  if (!options.preflight) return { kind: 'none', reason: '--no-preflight was given' };
  if (options.forVersion !== undefined && options.library === undefined) {
    return { kind: 'none', reason: '--for-version was given without the --library of that version' };
  }
  const self = resolveProgram(process.execPath, undefined);
  const target = self.kind === 'resolved' ? self.program.target : undefined;
  const search = findLibrary({ allocator: 'jemalloc', target, path: options.library, environment: process.env });
  if (search.kind === 'found') return { kind: 'library', library: search.library };
  const { cause, remedy } = describeSearch(search);
  if (options.library !== undefined) throw new JemkitError('ERR_JEM_LIBRARY_UNUSABLE', cause, { hint: remedy });
  return { kind: 'none', reason: `${cause} (${remedy})` };
}

function sayPreflight(preflight: MallocConfPreflight | undefined, found: Library, { terminal }: CommandContext): void {
  if (found.kind === 'none') terminal.say(`jem: not tried on a real jemalloc: ${found.reason}`);
  else if (preflight?.kind === 'untried') terminal.say(`jem: not tried on ${found.library.path}: ${preflight.reason}`);
  else if (preflight?.kind === 'not-serving') {
    terminal.say(
      `jem: not tried: ${found.library.path} does not serve malloc in this node. ${preflight.message ?? ''}`,
    );
  } else if (preflight?.kind === 'ended') {
    const end = preflight.signal ?? `exit code ${preflight.exitCode ?? 'unknown'}`;
    terminal.say(`jem: a program started with it ends at once (${end}): ${preflight.message}`);
  }
}

function check(argument: string | undefined, options: CheckOptions, context: CommandContext): void {
  const asked = versionFrom(options.forVersion);
  const conf = confFrom(argument, context, options.json === true);
  const found = libraryFor(options);
  const preflight =
    found.kind === 'library'
      ? preflightMallocConf({ library: found.library, conf, environment: process.env })
      : undefined;
  const loaded = found.kind === 'library' ? readLibraryVersion(found.library.path, 'jemalloc') : undefined;
  const observed = preflight?.kind === 'ran' ? preflight : undefined;
  const version = asked ?? parseJemallocVersion(observed?.version ?? loaded ?? '');
  sayUnknownRelease(version, context);
  const known = checkMallocConf(conf, { version, platform: process.platform });
  const findings = observed ? [...known, ...checkPreflight(conf, observed, known)] : known;
  const ended = preflight?.kind === 'ended';
  if (ended || findings.some(({ severity }) => severity === 'problem')) context.exitCode = 1;
  if (options.json) {
    const library = found.kind === 'library' ? found.library.path : undefined;
    const untried = found.kind === 'none' ? { kind: 'untried', reason: found.reason } : undefined;
    context.terminal.print(
      JSON.stringify({ conf, version, library, findings, preflight: preflight ?? untried }, null, 2),
    );
    return;
  }
  const { terminal } = context;
  const style = styleOf(context);
  if (findings.length > 0) terminal.print(`${renderConfFindings(conf, findings, style, columnsOf(context))}\n`);
  sayPreflight(preflight, found, context);
  const against = version ? `jemalloc ${version}` : 'jemalloc 5.x';
  const tried = observed && found.kind === 'library' ? `, and by a real start with ${found.library.path}` : '';
  const count = findings.filter(({ severity }) => severity === 'problem').length;
  const verdict = ended ? 'not usable' : count === 0 ? 'no problem' : count === 1 ? '1 problem' : `${count} problems`;
  terminal.print(`${style(context.exitCode === 0 ? 'green' : 'red', verdict)} by the rules of ${against}${tried}`);
}

function explain(argument: string | undefined, options: VersionOptions, context: CommandContext): void {
  const conf = confFrom(argument, context, options.json === true);
  const version = versionFrom(options.forVersion);
  sayUnknownRelease(version, context);
  const explanations = explainMallocConf(conf, version);
  if (options.json) context.terminal.print(JSON.stringify({ conf, pairs: explanations }, null, 2));
  else if (explanations.length > 0) {
    context.terminal.print(renderConfExplanations(explanations, styleOf(context), columnsOf(context)));
  } else context.terminal.say('jem: the string holds no pair: everything is at its default');
}

function list(options: VersionOptions, context: CommandContext): void {
  const version = versionFrom(options.forVersion);
  sayUnknownRelease(version, context);
  const summaries = summarizeMallocConfOptions(version);
  if (options.json) {
    const rows = summaries.map(({ name }) => ({ name, ...findOption(name) }));
    context.terminal.print(JSON.stringify(rows, null, 2));
    return;
  }
  // A pipe gets whole lines: only a terminal would wrap them.
  const columns = process.stdout.isTTY ? context.terminal.columns : undefined;
  context.terminal.print(renderConfOptions(summaries, styleOf(context), columns));
}

function presets(name: string | undefined, options: { readonly json?: true }, context: CommandContext): void {
  if (name !== undefined && !Object.hasOwn(PRESETS, name)) {
    throw new JemkitError('ERR_JEM_USAGE', `no preset '${name}' (expected ${Object.keys(PRESETS).join(', ')})`, {
      hint: 'jem conf presets',
    });
  }
  const chosen = name === undefined ? Object.values(PRESETS) : [PRESETS[name as MallocConfPresetName]];
  if (options.json) context.terminal.print(JSON.stringify(name === undefined ? chosen : chosen[0], null, 2));
  else context.terminal.print(renderConfPresets(chosen, DEFAULT_PRESET, styleOf(context), columnsOf(context)));
}

function subcommand(parent: Command, name: string, summary: string): Command {
  return parent.command(name).summary(summary).copyInheritedSettings(parent);
}

/** On stderr with --json too: what stdout holds stays JSON. */
function sayUnknownRelease(version: JemallocVersion | undefined, { terminal }: CommandContext): void {
  if (version === undefined || isKnownRelease(version)) return;
  terminal.say(
    `jem: the options of jemalloc 4.0 to 5.4 are known, not those of ${version}: what changed there is not considered`,
  );
}

const FOR_VERSION = ['--for-version <version>', 'the jemalloc that will read it, such as 5.2.1'] as const;

export const configure: ConfigureCommand = (command, context) => {
  command.description(
    `Check, explain and list the options of MALLOC_CONF. jemalloc itself warns about a wrong pair in one line on stderr, or ` +
      `says nothing, and goes on without it; ${Object.keys(MALLOC_CONF_OPTIONS).length} options of jemalloc 4.0 to 5.4 are known.`,
  );
  subcommand(command, 'check', 'find what is wrong with a MALLOC_CONF string')
    .description(
      'Check a MALLOC_CONF string by jemalloc’s rules, then start this node once with the real library and the string, stopped ' +
        'before it runs anything. Exit code 1 where there is a problem; warnings and notes do not count.',
    )
    .argument('[string]', 'KEY:VALUE,… (default: $MALLOC_CONF)')
    .option(...FOR_VERSION)
    .option('--library <path>', 'the jemalloc to try it on (default: the one jem run would load)')
    .option('--no-preflight', 'by the rules alone; start nothing')
    .option('--json', 'findings and preflight as JSON')
    .action((text: string | undefined, options: CheckOptions) => check(text, options, context));
  subcommand(command, 'explain', 'say what each pair does')
    .description('Say what each pair of a MALLOC_CONF string does, with its default.')
    .argument('[string]', 'KEY:VALUE,… (default: $MALLOC_CONF)')
    .option(...FOR_VERSION)
    .option('--json', 'as JSON')
    .action((text: string | undefined, options: VersionOptions) => explain(text, options, context));
  subcommand(command, 'list', 'every option with default and release')
    .description('List every option with its default and the releases that read it.')
    .option('--for-version <version>', 'only what this jemalloc reads')
    .option('--json', 'the whole table as JSON')
    .action((options: VersionOptions) => list(options, context));
  subcommand(command, 'presets', 'the named strings, what they trade and where they come from')
    .description('Show the named MALLOC_CONF strings of --preset: what each trades and where it comes from.')
    .argument('[name]', `one of ${Object.keys(PRESETS).join(', ')}`)
    .option('--json', 'as JSON')
    .action((name: string | undefined, options: { readonly json?: true }) => presets(name, options, context));
  addExamples(command, [
    ['jem conf check background_thread:true,dirty_decay:1000', 'find the typo'],
    ['jem conf check', 'check what MALLOC_CONF holds now'],
    ['jem conf check narenas_ratio:1 --for-version 5.2.1', 'will an older jemalloc take it?'],
    ['jem conf explain narenas:2,muzzy_decay_ms:0', 'what does this do?'],
    ['jem conf presets low-memory', 'one preset'],
  ]);
};
