import type { Command } from 'commander';

/** True where a `--` stands before the words: they are a command then, whatever they look like. */
export function isCommand(command: Command, words: readonly string[]): boolean {
  // Commander takes the `--` out; the arguments as they were typed are with the program.
  const raw = (command.parent as unknown as { rawArgs?: string[] } | null)?.rawArgs ?? [];
  return raw[raw.length - words.length - 1] === '--';
}
