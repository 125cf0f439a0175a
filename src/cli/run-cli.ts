import type { JemkitError } from '../errors.js';
import type { CommandContext } from './command.js';
import { readRunLine } from './run-line.js';
import { startProgram } from './start-program.js';
import type { Terminal } from './terminal.js';

/** Loads a module by its path from this folder, now and without a turn of the event loop: `require` of main.cts. */
export type LoadModule = (path: string) => unknown;

function openContext(load: LoadModule): CommandContext {
  let terminal: Terminal | undefined;
  return {
    get terminal() {
      terminal ??= (load('./terminal.js') as typeof import('./terminal.js')).openTerminal();
      return terminal;
    },
    load,
    exitCode: 0,
  };
}

// By name: in the bundle of this module and of those it imports, the class is another than in the modules loaded later.
function isJemkitError(error: unknown): error is JemkitError {
  return error instanceof Error && error.name === 'JemkitError';
}

function tellError(error: unknown, context: CommandContext): number {
  const { terminal } = context;
  if (isJemkitError(error)) {
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

function sayError(error: unknown, context: CommandContext): number {
  try {
    return tellError(error, context);
  } catch {
    // Not even the telling works: the exit code alone has to say it.
    return isJemkitError(error) ? error.exitCode : 70;
  }
}

/**
 * Runs one command line. A well-formed `jem run …` goes straight to its program: commander alone would take a third of the
 * time a start may cost. Everything else, wrong and help-seeking lines of `run` among it, goes through commander.
 *
 * @returns the exit code for the process; never throws.
 */
export async function runCli(args: readonly string[], load: LoadModule): Promise<number> {
  const context = openContext(load);
  try {
    const line = args[0] === 'run' ? readRunLine(args.slice(1)) : undefined;
    if (line) {
      // What is synchronous in it runs before this returns: it never comes back from a program that started.
      await startProgram(line.words, line.options, context);
      return context.exitCode;
    }
    const { runProgramTree } = load('./program.js') as typeof import('./program.js');
    return await runProgramTree(args, context);
  } catch (error) {
    return sayError(error, context);
  }
}
