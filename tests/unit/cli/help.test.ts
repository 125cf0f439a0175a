import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { runProgramTree } from '../../../src/cli/program.js';
import { VERBS } from '../../../src/cli/verbs.js';
import { recordingContext, sourceProgram } from '../../support/source-program.js';

const context = recordingContext();
const program = await sourceProgram(context);

/** A command's whole help, with what `addHelpText` adds, as `--help` prints it 100 columns wide. */
function helpOf(command: Command): string {
  context.printed.length = 0;
  command.outputHelp();
  return context.printed.join('\n');
}

function withSubcommands(command: Command, before: string): (readonly [path: string, command: Command])[] {
  const path = `${before} ${command.name()}`.trim();
  return [[path, command], ...command.commands.flatMap((child) => withSubcommands(child, path))];
}

const commands = withSubcommands(program, '').slice(1);

describe('help', () => {
  const overview = async (args: readonly string[]) => {
    context.printed.length = 0;
    expect(await runProgramTree(args, context)).toBe(0);
    return context.printed.join('\n');
  };

  test('of jem', async () => {
    const text = await overview(['--help']);
    expect(text).toMatchSnapshot('jem');
    expect(await overview([])).toBe(text);
    expect(await overview(['help'])).toBe(text);
  });

  test.each(commands)('of %s', (path, command) => {
    expect(helpOf(command)).toMatchSnapshot(path);
  });

  test.each(commands)('of %s says what it is for, and what each option and argument does', (path, command) => {
    expect(command.summary() || command.description()).not.toBe('');
    expect(
      command.options.filter(({ description }) => description === '').map(({ flags }) => `${path} ${flags}`),
    ).toEqual([]);
  });

  test.each(Object.keys(VERBS))('of %s has examples that begin with jem', (verb) => {
    const command = program.commands.find((candidate) => candidate.name() === verb) as Command;
    const examples = helpOf(command).split('Examples:\n')[1];
    expect(examples, 'no examples').toBeDefined();
    expect(examples).toMatch(/\bjem\b/);
  });

  test.each(commands)('of %s is no wider than 100 columns, except for examples', (_path, command) => {
    const [before = ''] = helpOf(command).split('\nExamples:\n');
    expect(before.split('\n').filter((line) => line.length > 100)).toEqual([]);
  });
});
