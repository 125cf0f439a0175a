import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { JemkitError } from '../errors.js';
import { addExamples, type CommandContext } from './command.js';
import { openTerminal } from './terminal.js';
import { VERBS } from './verbs.js';

/** The version of this package. */
export function packageVersion(): string {
  const manifest = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}

function emptyProgram(context: CommandContext): Command {
  return new Command('jem')
    .description('Run any program under jemalloc, prove it, and tune it.')
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .helpCommand('help [command]', 'show the help of a command')
    .configureOutput({
      writeOut: (text) => context.terminal.print(text.replace(/\n$/, '')),
      writeErr: (text) => context.terminal.say(text.replace(/\n$/, '')),
      outputError: (text, write) => write(`jem: ${text.replace(/^error: /, '')}`),
      getOutHelpWidth: () => Math.min(context.terminal.columns, 100),
    })
    .exitOverride();
}

/** The tree with the named verbs loaded: loading a verb's module costs time that `jem run` does not have. */
export function buildProgram(context: CommandContext, verbs: readonly string[] = Object.keys(VERBS)): Command {
  const program = emptyProgram(context);
  for (const verb of verbs) {
    const row = VERBS[verb];
    if (!row) continue;
    const command = program.command(verb).summary(row.summary).copyInheritedSettings(program);
    row.load()(command, context);
  }
  return program;
}

/** `jem --help`: every verb by name and summary, none loaded. */
function buildOverview(context: CommandContext): Command {
  const program = emptyProgram(context).version(packageVersion(), '-V, --version', 'print the version of jemkit');
  for (const [verb, { summary }] of Object.entries(VERBS)) program.command(verb).description(summary);
  addExamples(program, [
    ['jem run -- node server.js', 'start a server under jemalloc'],
    ['jem doctor', 'will it work here, and if not, why?'],
    ['jem ps', 'which process has which allocator'],
  ]);
  return program.addHelpText(
    'after',
    '\nExit codes: 0 fine, 1 a finding, 2 usage, 3 target not available, 70 a bug of jemkit;\n`jem run` ends as its program does (126 not executable, 127 not found).',
  );
}

function sayError(error: unknown, context: CommandContext): number {
  const { terminal } = context;
  if (error instanceof JemkitError) {
    terminal.say(`jem: ${error.message}`);
    if (error.hint) terminal.say(`  hint: ${error.hint}`);
    return error.exitCode;
  }
  const text = error instanceof Error ? error.message : String(error);
  terminal.say(`jem: a bug of jemkit: ${text}`);
  terminal.say(
    process.env['JEMKIT_DEBUG'] && error instanceof Error
      ? String(error.stack)
      : `  hint: report it with the output of the same command under JEMKIT_DEBUG=1, to the project`,
  );
  return 70;
}

/**
 * Runs one command line.
 *
 * @returns the exit code for the process; never throws.
 */
export async function runCli(args: readonly string[]): Promise<number> {
  const context: CommandContext = { terminal: openTerminal(), exitCode: 0 };
  const verb = args[0];
  try {
    const known = verb !== undefined && Object.hasOwn(VERBS, verb);
    const asksHelpOf = verb === 'help' && args[1] !== undefined && Object.hasOwn(VERBS, args[1]) ? args[1] : undefined;
    if (asksHelpOf) {
      buildProgram(context, [asksHelpOf]).parse([asksHelpOf, '--help'], { from: 'user' });
    } else if (known) {
      const program = buildProgram(context, [verb]);
      // The synchronous part of an action runs before this returns: `run` never comes back from it.
      await program.parseAsync([...args], { from: 'user' });
    } else {
      buildOverview(context).parse(args.length === 0 ? ['--help'] : [...args], { from: 'user' });
    }
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    return sayError(error, context);
  }
  return context.exitCode;
}
