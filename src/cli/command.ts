import type { Command } from 'commander';
import type { Terminal } from './terminal.js';

/** What a command gets besides its arguments. */
export interface CommandContext {
  readonly terminal: Terminal;
  /** Loads a module that only some launches need, by its path from this folder. */
  readonly load: (path: string) => unknown;
  /** The exit code the process will end with; a command sets it for findings (1), never by `process.exit`. */
  exitCode: number;
}

/**
 * What `commands/<verb>.ts` exports: it adds description, arguments, options, examples and the action to a fresh commander
 * command. It is loaded only when its verb (or help, or completion) is asked for.
 */
export type ConfigureCommand = (command: Command, context: CommandContext) => void;

/** Adds an `Examples:` section, one line an example: the command to type and what it does. */
export function addExamples(command: Command, examples: ReadonlyArray<readonly [line: string, does: string]>): void {
  const width = Math.max(...examples.map(([line]) => line.length));
  const lines = examples.map(([line, does]) => `  ${line.padEnd(width)}  ${does}`);
  command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
}
