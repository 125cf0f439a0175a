import { Argument, Command, Option } from 'commander';
import { describe, expect, test } from 'vitest';
import { offeredConfOptions, readCommandTree } from '../../../src/cli/command-tree.js';
import { VERBS } from '../../../src/cli/verbs.js';
import { placesOf } from '../../../src/model/command-tree.js';
import { MALLOC_CONF_OPTIONS } from '../../../src/model/malloc-conf-options.js';
import { PRESETS } from '../../../src/model/malloc-conf-presets.js';
import { recordingContext, sourceProgram } from '../../support/source-program.js';

describe('readCommandTree', () => {
  test('reads options with their values, arguments and subcommands', () => {
    const program = new Command('tool').summary('a tool');
    program
      .command('do')
      .summary('does it')
      .addOption(new Option('-c, --colour <name>', 'which').choices(['red', 'green']))
      .option('--size [n]', 'how much')
      .option('--library <path>', 'a file')
      .option('--quiet', 'no word')
      .addOption(new Option('--secret').hideHelp())
      .addArgument(new Argument('<shape>').choices(['round']))
      .argument('[pid...]');
    const [command] = readCommandTree(program).commands;
    expect(command).toMatchObject({
      name: 'do',
      summary: 'does it',
      arguments: [
        { name: 'shape', value: { kind: 'words', words: ['round'] }, variadic: false },
        { name: 'pid', value: { kind: 'process' }, variadic: true },
      ],
      programAfterDashes: false,
    });
    expect(
      command?.options.map(({ flags, value, valueOptional }) => [flags.join(' '), value?.kind, valueOptional]),
    ).toEqual([
      ['-c --colour', 'words', false],
      ['--size', 'free', true],
      ['--library', 'file', false],
      ['--quiet', undefined, false],
      ['-h --help', undefined, false],
    ]);
  });

  test('knows every verb, what run and doctor take after --, and the presets', async () => {
    const tree = readCommandTree(await sourceProgram(recordingContext()));
    expect(tree.commands.map(({ name }) => name)).toEqual([...Object.keys(VERBS), 'help']);
    const byName = new Map(placesOf(tree).map(({ path, command }) => [path.join(' '), command]));
    expect(byName.get('jem run')?.programAfterDashes).toBe(true);
    expect(byName.get('jem run')?.arguments[0]?.value).toEqual({ kind: 'program' });
    expect(byName.get('jem doctor')?.programAfterDashes).toBe(true);
    expect(byName.get('jem ps')?.programAfterDashes).toBe(false);
    expect(byName.get('jem conf check')?.arguments[0]?.value).toEqual({ kind: 'malloc-conf' });
    const preset = byName.get('jem run')?.options.find(({ flags }) => flags.includes('--preset'));
    expect(preset?.value).toEqual({ kind: 'words', words: [...Object.keys(PRESETS), 'none'] });
  });
});

test('offeredConfOptions leaves out what no current jemalloc reads', () => {
  const keys = offeredConfOptions().map(({ key }) => key);
  expect(keys).toContain('narenas');
  for (const [key, row] of Object.entries(MALLOC_CONF_OPTIONS)) expect(keys.includes(key)).toBe(!('removedIn' in row));
  expect(offeredConfOptions().find(({ key }) => key === 'tcache')?.values).toEqual(['true', 'false']);
});
