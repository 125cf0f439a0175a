import { Option } from 'commander';
import { checkMallocConf } from '../../analyses/check-malloc-conf.js';
import {
  type PersistOutcome,
  persistBlock,
  profileOf,
  requireHome,
  undoBlock,
} from '../../control/environment/persist-exports.js';
import { planAgent } from '../../control/launch/plan-agent.js';
import { describeSearch } from '../../control/launch/plan-launch.js';
import { preloadVariable } from '../../control/launch/preload-variable.js';
import { presetConf } from '../../control/launch/preset-conf.js';
import { probeLibrary } from '../../control/launch/probe-library.js';
import { findLibrary } from '../../control/library/find-library.js';
import { JemkitError } from '../../errors.js';
import { type AllocatorLibrary, type AllocatorName, PRELOADABLE_ALLOCATORS } from '../../model/allocator.js';
import type { LibrarySource } from '../../model/library-search.js';
import { DEFAULT_PRESET, PRESETS } from '../../model/malloc-conf-presets.js';
import { mergeMallocConf } from '../../model/merge-malloc-conf.js';
import type { LibraryProbe } from '../../model/probe.js';
import type { ResolvedProgram } from '../../model/program.js';
import {
  renderGuardedExports,
  renderShellExports,
  SHELLS,
  type Shell,
  type ShellExports,
} from '../../outputs/shell-exports.js';
import { parseShellName, readCallingShell } from '../../sources/process/read-calling-shell.js';
import { resolveProgram } from '../../sources/process/resolve-program.js';
import { addExamples, type CommandContext, type ConfigureCommand } from '../command.js';

interface EnvOptions {
  readonly allocator: AllocatorName;
  readonly library?: string;
  readonly preset?: string;
  readonly conf?: string;
  readonly agent?: true;
  readonly shell?: Shell;
  readonly persist?: true;
  readonly undo?: true;
  readonly dryRun?: true;
  readonly json?: true;
}

const usage = (message: string, hint: string) => new JemkitError('ERR_JEM_USAGE', message, { hint });

interface Found {
  readonly library: AllocatorLibrary;
  readonly source: LibrarySource;
  readonly agentPath?: string;
}

/** An export reaches every program the shell starts: a library that kills them must not be exported, so it is tried first. */
function findWorkingLibrary(options: EnvOptions): Found {
  const { allocator } = options;
  if (allocator === 'system') throw new JemkitError('ERR_JEM_INTERNAL', 'the system allocator needs no library');
  const self = resolveProgram(process.execPath, undefined);
  const program = self.kind === 'resolved' ? self.program : undefined;
  const search = findLibrary({ allocator, target: program?.target, path: options.library, environment: process.env });
  if (search.kind === 'none') {
    const { cause, remedy } = describeSearch(search);
    throw new JemkitError('ERR_JEM_LIBRARY_UNUSABLE', `nothing to export: ${cause}`, { hint: remedy });
  }
  const { LD_PRELOAD: _preload, DYLD_INSERT_LIBRARIES: _insert, MALLOC_CONF: _conf, ...environment } = process.env;
  const probe = program ? probeLibrary(program, search.library, environment) : undefined;
  // Exit code 0: only the probe did not load; the program itself ran.
  if (probe?.kind === 'fails' && probe.exitCode !== 0) {
    throw new JemkitError(
      'ERR_JEM_LIBRARY_UNUSABLE',
      `nothing to export: programs do not start with ${search.library.path}: ${probe.message}`,
      { hint: 'install what is missing, or get another library: jem install --force' },
    );
  }
  if (probe?.kind === 'works' && probe.serving !== search.library.allocator) {
    throw new JemkitError(
      'ERR_JEM_LIBRARY_UNUSABLE',
      `nothing to export: ${search.library.path} loads, but malloc stays with ${probe.serving}`,
      { hint: 'name another file with --library; jem doctor shows the details' },
    );
  }
  if (!options.agent) return search;
  return { ...search, agentPath: findAgent(allocator, program, probe) };
}

/** Asked for by name, as by `jem run --agent`; the programs that it acts in are JEMKIT_AGENT's matter. */
function findAgent(
  allocator: AllocatorName,
  program: ResolvedProgram | undefined,
  probe: LibraryProbe | undefined,
): string {
  const target = program ?? { interpreter: process.execPath, target: undefined };
  const plan = planAgent({ mode: 'always', allocator, program: target, probe });
  if (plan.kind === 'preloaded') return plan.path;
  throw new JemkitError(
    'ERR_JEM_LIBRARY_UNUSABLE',
    `nothing to export: without the agent, as ${plan.kind === 'left-out' ? plan.cause : 'it is off'}`,
    { hint: plan.kind === 'left-out' ? plan.remedy : 'leave --agent out' },
  );
}

function confOf(options: EnvOptions): ShellExports['conf'] {
  const asked = options.preset !== undefined || options.conf !== undefined;
  if (options.allocator !== 'jemalloc') {
    if (asked)
      throw usage(`MALLOC_CONF is jemalloc's: ${options.allocator} reads neither --preset nor --conf`, 'leave it out');
    return undefined;
  }
  const value = mergeMallocConf(presetConf(options.preset), options.conf);
  if (value === '') return undefined;
  return { value, replaces: asked && !options.persist };
}

/** jemalloc would go on after a wrong pair, and so do exports; what is written for good must be right. */
function judgeConf(options: EnvOptions, { terminal }: CommandContext): void {
  if (options.conf === undefined) return;
  const problems = checkMallocConf(options.conf, { platform: process.platform }).filter(
    (found) => found.severity === 'problem',
  );
  if (problems.length === 0) return;
  const text = problems.map(({ title, remedy }) => (remedy ? `${title} (instead: ${remedy})` : title)).join('; ');
  const hint = `jem conf check '${options.conf}'`;
  if (options.persist)
    throw new JemkitError('ERR_JEM_MALLOC_CONF', `nothing written, --conf is wrong: ${text}`, { hint });
  terminal.say(`jem: --conf: ${text}`);
}

function shellForProfile(options: EnvOptions): Shell {
  const shell = options.shell ?? parseShellName(process.env['SHELL'] ?? '');
  if (shell) return shell;
  throw usage(
    `which shell's start-up file? SHELL is ${process.env['SHELL'] === undefined ? 'not set' : JSON.stringify(process.env['SHELL'])}`,
    'jem env --persist --shell bash   (sh, bash, zsh or fish)',
  );
}

function sayPersisted(outcome: PersistOutcome, shell: Shell, { terminal }: CommandContext): void {
  const file = outcome.file === outcome.profile ? outcome.file : `${outcome.profile} (in truth ${outcome.file})`;
  const would = outcome.dryRun ? 'would be ' : '';
  const backup = outcome.backup ? `; the file as it was: ${outcome.backup}` : '';
  switch (outcome.kind) {
    case 'written':
      terminal.say(`jem: a block ${would || 'was '}written to ${file}${backup}`);
      if (!outcome.dryRun)
        terminal.say(`jem: it counts in shells started from now on; take it out with: jem env --undo --shell ${shell}`);
      return;
    case 'unchanged':
      terminal.say(`jem: ${file} has this block already`);
      return;
    case 'removed':
      terminal.say(
        `jem: the block ${would || 'was '}taken out of ${file}${backup ? `; it was edited since, so the copy stays: ${outcome.backup}` : ''}`,
      );
      return;
    case 'nothing-to-undo':
      terminal.say(`jem: ${file} has no block of jemkit`);
  }
}

function undo(options: EnvOptions, context: CommandContext): void {
  const shell = shellForProfile(options);
  const outcome = undoBlock({ profile: profileOf(shell, process.env), dryRun: options.dryRun });
  if (options.json) context.terminal.print(JSON.stringify(outcome, null, 2));
  else sayPersisted(outcome, shell, context);
}

function env(options: EnvOptions, context: CommandContext): void {
  const { terminal } = context;
  if (options.undo) {
    undo(options, context);
    return;
  }
  if (options.dryRun && !options.persist)
    throw usage('--dry-run goes with --persist or --undo', 'jem env --persist --dry-run');
  const conf = confOf(options);
  judgeConf(options, context);
  if (options.allocator === 'system') {
    if (options.agent) throw usage('the agent tells of jemalloc, and --allocator is system', 'leave one of them out');
    if (options.persist)
      throw usage('the system allocator needs no exports', 'to take earlier ones out: jem env --undo');
    terminal.print(
      options.json
        ? JSON.stringify({ allocator: 'system', variables: {} }, null, 2)
        : '# the system allocator needs no exports',
    );
    return;
  }
  const shell = options.persist ? shellForProfile(options) : (options.shell ?? readCallingShell() ?? 'sh');
  if (options.persist) requireHome(shell, process.env);
  let found: Found;
  try {
    found = findWorkingLibrary(options);
  } catch (error) {
    // What is evaluated must do no harm, and what is only read must say why it is empty.
    if (!options.persist && !options.json) terminal.print('# jem env: nothing to export; the reason is on stderr');
    throw error;
  }
  const exports: ShellExports = {
    preloadVariable: preloadVariable(),
    libraryPath: found.library.path,
    ...(found.agentPath ? { agentPath: found.agentPath } : {}),
    ...(conf ? { conf } : {}),
  };
  const script = options.persist ? renderGuardedExports(exports, shell) : renderShellExports(exports, shell);
  const outcome = options.persist
    ? persistBlock(script, { profile: profileOf(shell, process.env), dryRun: options.dryRun })
    : undefined;
  if (options.json) {
    const { libraryPath, agentPath } = exports;
    const variables = {
      [exports.preloadVariable]: agentPath ? `${libraryPath}:${agentPath}` : libraryPath,
      ...(agentPath ? { JEMKIT_AGENT: 'auto' } : {}),
      ...(conf ? { MALLOC_CONF: conf.value } : {}),
    };
    const { library, source } = found;
    terminal.print(
      JSON.stringify(
        { allocator: library.allocator, library: library.path, source, shell, variables, script, persisted: outcome },
        null,
        2,
      ),
    );
  } else if (!outcome) terminal.print(script);
  else {
    if (outcome.dryRun) terminal.print(script);
    sayPersisted(outcome, shell, context);
  }
}

export const configure: ConfigureCommand = (command, context) => {
  command
    .description(
      'Print the exports that put a shell, and all it starts, under jemalloc: for entrypoints that want no Node in front. The library ' +
        'goes in front of LD_PRELOAD when the lines are evaluated, once. MALLOC_CONF is set to what --preset or --conf say; with neither ' +
        `it becomes ${DEFAULT_PRESET} where it is empty. Where no library is usable nothing is exported, and the exit code is 3.`,
    )
    .addOption(
      new Option('--allocator <name>', 'the allocator')
        .choices([...PRELOADABLE_ALLOCATORS, 'system'])
        .default('jemalloc'),
    )
    .option('--library <path>', 'this library file and no other')
    .option('--preset <name>', `a named set of options: ${Object.keys(PRESETS).join(', ')}, none`)
    .option('--conf <pairs>', 'MALLOC_CONF options, KEY:VALUE,…, over those of the preset')
    .option(
      '--agent',
      'let jem stats, top, ctl and the like into the programs it was proven on (JEMKIT_AGENT=1: into all)',
    )
    .addOption(
      new Option('--shell <name>', 'the syntax (default: the calling shell’s, with --persist that of $SHELL)').choices([
        ...SHELLS,
      ]),
    )
    .addOption(new Option('--persist', 'write them as a marked block into the shell’s start-up file').conflicts('undo'))
    .option('--undo', 'take the block out again')
    .option('--dry-run', 'with --persist or --undo: say what would be done')
    .option('--json', 'as JSON')
    .action((options: EnvOptions) => env(options, context));
  addExamples(command, [
    ['eval "$(jem env --preset low-memory)"', 'this shell and what it starts (sh, bash, zsh)'],
    ['jem env --shell fish | source', 'the same in fish'],
    ['jem env --persist --dry-run', 'what would be written where'],
    ['jem env --persist --shell zsh', 'every zsh from now on'],
    ['jem env --undo --shell zsh', 'take it out again'],
  ]);
};
