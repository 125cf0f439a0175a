import { join } from 'node:path';
import type { Command } from 'commander';
import type { CommandContext, ConfigureCommand } from '../../src/cli/command.js';
import { buildProgram } from '../../src/cli/program.js';
import { VERBS } from '../../src/cli/verbs.js';
import { ROOT } from './programs.js';

/** A context that keeps what a command writes, 100 columns wide and without colours. */
export function recordingContext(): CommandContext & { readonly printed: string[]; readonly said: string[] } {
  const printed: string[] = [];
  const said: string[] = [];
  const terminal: CommandContext['terminal'] = {
    print: (text) => printed.push(text),
    say: (text) => said.push(text),
    progress: () => {},
    style: (_style, text) => text,
    interactive: false,
    columns: 100,
    lines: 25,
    redraws: false,
    readerGone: false,
  };
  const load = (path: string) => {
    throw new Error(`no module is loaded here: ${path}`);
  };
  return { terminal, load, exitCode: 0, printed, said };
}

/** The whole command tree, from the sources: what `buildProgram` gives in the build. */
export async function sourceProgram(context: CommandContext): Promise<Command> {
  const configures = new Map<string, ConfigureCommand>();
  for (const verb of Object.keys(VERBS)) {
    const path = join(ROOT, 'src', 'cli', 'commands', `${verb}.ts`);
    const module = (await import(/* @vite-ignore */ path)) as { configure: ConfigureCommand };
    configures.set(verb, module.configure);
  }
  return buildProgram(context, undefined, (verb) => configures.get(verb));
}
