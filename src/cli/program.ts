import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { addExamples, type CommandContext, type ConfigureCommand } from './command.js';
import { VERBS } from './verbs.js';

/** How `jem --version` is spelled. */
export const VERSION_OPTION = ['-V, --version', 'print the version of jemkit'] as const;

/** The version of this package. */
export function packageVersion(): string {
  const manifest = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}

/** Commander's words in the form of ours: one sentence, and what to type next. */
function usageMessage(text: string, helpLine: string): string {
  const [sentence = '', meant] = text.trimEnd().split(/\n\(Did you mean (?=.*\?\)$)/);
  const message = sentence.replace(/^error: /, '').replace(/ is invalid\. ([Ee])xpected/, ' is invalid: expected');
  return `jem: ${message}\n  hint: ${meant ? `did you mean ${meant.slice(0, -1)}` : helpLine}\n`;
}

function emptyProgram(context: CommandContext, helpLine = 'jem --help'): Command {
  return new Command('jem')
    .description('Run any program under jemalloc, prove it, and tune it.')
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .helpCommand('help [command]', 'show the help of a command')
    .configureOutput({
      writeOut: (text) => context.terminal.print(text.replace(/\n$/, '')),
      writeErr: (text) => context.terminal.say(text.replace(/\n$/, '')),
      outputError: (text, write) => write(usageMessage(text, helpLine)),
      getOutHelpWidth: () => Math.min(context.terminal.columns, 100),
    })
    .exitOverride();
}

/**
 * The tree with the named verbs loaded: loading a verb's module costs time that `jem run` does not have.
 *
 * @param load how a verb's module is loaded; tests load sources instead of the build.
 */
export function buildProgram(
  context: CommandContext,
  verbs: readonly string[] = Object.keys(VERBS),
  load: (verb: string) => ConfigureCommand | undefined = (verb) => VERBS[verb]?.load(),
): Command {
  const program = emptyProgram(context, verbs.length === 1 ? `jem ${verbs[0]} --help` : undefined);
  for (const verb of verbs) {
    const row = VERBS[verb];
    if (!row) continue;
    const command = program.command(verb).summary(row.summary).copyInheritedSettings(program);
    load(verb)?.(command, context);
  }
  return program;
}

/** `jem --help`: every verb by name and summary, none loaded. */
function buildOverview(context: CommandContext): Command {
  const program = emptyProgram(context).version(packageVersion(), ...VERSION_OPTION);
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

/**
 * Parses a command line with commander and runs its command.
 *
 * @returns the exit code: the command's own, or that of a usage error. Throws what the command throws.
 */
export async function runProgramTree(args: readonly string[], context: CommandContext): Promise<number> {
  const verb = args[0];
  const asksHelpOf = verb === 'help' && args[1] !== undefined && Object.hasOwn(VERBS, args[1]) ? args[1] : undefined;
  try {
    if (asksHelpOf) {
      buildProgram(context, [asksHelpOf]).parse([asksHelpOf, '--help'], { from: 'user' });
    } else if (verb !== undefined && Object.hasOwn(VERBS, verb)) {
      await buildProgram(context, [verb]).parseAsync([...args], { from: 'user' });
    } else {
      buildOverview(context).parse(args.length === 0 ? ['--help'] : [...args], { from: 'user' });
    }
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    throw error;
  }
  return context.exitCode;
}
