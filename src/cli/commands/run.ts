import { Option } from 'commander';
import { planLaunch } from '../../control/launch/plan-launch.js';
import { presetConf } from '../../control/launch/preset-conf.js';
import { replaceProcess, runAsChild } from '../../control/launch/replace-process.js';
import { isSystemError, JemkitError } from '../../errors.js';
import { type AllocatorName, PRELOADABLE_ALLOCATORS } from '../../model/allocator.js';
import type { LaunchPlan } from '../../model/launch-plan.js';
import { DEFAULT_PRESET, PRESETS } from '../../model/malloc-conf-presets.js';
import { renderLaunchPlan } from '../../outputs/text/launch-plan.js';
import { readCommandLine } from '../../sources/procfs/process-strings.js';
import { addExamples, type CommandContext, type ConfigureCommand } from '../command.js';

interface RunOptions {
  readonly allocator: AllocatorName;
  readonly library?: string;
  readonly conf?: string;
  readonly preset?: string;
  readonly fallback: 'warn' | 'silent' | 'fail';
  readonly children: boolean;
  readonly print?: boolean;
  readonly json?: boolean;
}

export const configure: ConfigureCommand = (command, context) => {
  command
    .description(
      'Start a program under jemalloc: find the library, try it once on the program’s real interpreter, put it in front of LD_PRELOAD,\n' +
        'and become the program (same pid, streams, terminal and exit code). Where it cannot be used, the program starts with the\n' +
        'system allocator and one line says why.',
    )
    .argument('<command...>', 'the program and its arguments')
    .passThroughOptions()
    .addOption(
      new Option('--allocator <name>', 'the allocator').choices([...PRELOADABLE_ALLOCATORS, 'system']).default('jemalloc'),
    )
    .option('--library <path>', 'this library file and no other')
    .option('--conf <pairs>', 'MALLOC_CONF options, KEY:VALUE,…; they count before those of the environment and the preset')
    .option('--preset <name>', `a named set of options: ${Object.keys(PRESETS).join(', ')}, none (default: ${DEFAULT_PRESET})`)
    .addOption(
      new Option('--fallback <how>', 'without a usable library: start anyway with a line, in silence, or not at all')
        .choices(['warn', 'silent', 'fail'])
        .default('warn'),
    )
    .option('--no-children', 'take the variables out of what the program itself starts')
    .option('--print', 'show the command line and the environment; run nothing')
    .option('--json', 'with --print: the whole plan as JSON')
    .action((words: string[], options: RunOptions) => run(words, options, context));
  addExamples(command, [
    ['jem run -- node server.js', 'a Node server'],
    ['jem run -- npm start', 'an npm script and all it starts'],
    ['jem run --preset low-memory -- bundle exec puma', 'Ruby, trading some speed for memory'],
    ['jem run --conf narenas:2,dirty_decay_ms:500 -- python3 app.py', 'your own options'],
    ['jem run --no-children -- node crawler.js', 'not the browsers that it starts'],
    ['jem run --print -- redis-server', 'what would be run'],
  ]);
};

/** The program's own arguments as bytes: Node's strings have lost what was no UTF-8. */
function rawArguments(words: readonly string[]): Buffer[] {
  try {
    const all = readCommandLine('self');
    if (all.length >= words.length) return all.slice(all.length - words.length);
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
  return words.map((word) => Buffer.from(word));
}

function sayFallback(plan: LaunchPlan, options: RunOptions, context: CommandContext): void {
  if (!plan.fallback) return;
  const { cause, remedy } = plan.fallback;
  if (options.fallback === 'fail') {
    throw new JemkitError('ERR_JEM_LIBRARY_UNUSABLE', `not started: ${cause}`, { hint: remedy, details: { reason: plan.fallback.reason } });
  }
  if (options.fallback === 'warn') context.terminal.say(`jem: started without ${plan.allocator}: ${cause}; remedy: ${remedy}`);
}

function run(words: string[], options: RunOptions, context: CommandContext): Promise<void> | undefined {
  const plan = planLaunch({
    command: words[0] ?? '',
    allocator: options.allocator,
    libraryPath: options.library,
    presetConf: presetConf(options.preset),
    conf: options.conf,
    children: options.children,
    environment: process.env,
  });
  if (options.print) {
    context.terminal.print(options.json ? JSON.stringify(plan, null, 2) : renderLaunchPlan(plan, words));
    return undefined;
  }
  sayFallback(plan, options, context);

  const { program } = plan;
  const shell = Buffer.from('/bin/sh');
  const replacement = {
    path: program.throughShell ? '/bin/sh' : program.path,
    argv: program.throughShell ? [shell, Buffer.from(program.path), ...rawArguments(words).slice(1)] : rawArguments(words),
    environment: plan.environment,
  };
  const refused = replaceProcess(replacement);
  if (refused !== 'no-addon') {
    throw new JemkitError('ERR_JEM_PROGRAM_NOT_EXECUTABLE', `cannot execute ${program.path}: the kernel says ${refused}`, {
      hint: refused === 'E2BIG' ? 'fewer or shorter arguments' : `check with: file ${program.path}`,
    });
  }
  context.terminal.say('jem: the native part is not built, so the program runs as a child of this process; remedy: npm rebuild jemkit');
  return runAsChild(replacement).then((exitCode) => {
    context.exitCode = exitCode;
  });
}
