import { Command, CommanderError } from 'commander';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configure } from '../../../src/cli/commands/run.js';
import { ALLOCATORS, type ProgramOptions, readRunLine } from '../../../src/cli/run-line.js';
import { PRELOADABLE_ALLOCATORS } from '../../../src/model/allocator.js';
import { recordingContext } from '../../support/source-program.js';

/** The same line as commander reads it; undefined where it refuses. */
function byCommander(args: readonly string[]): { words: string[]; options: ProgramOptions } | undefined {
  const program = new Command('jem')
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ writeOut: () => {}, writeErr: () => {} });
  const command = program.command('run').copyInheritedSettings(program);
  configure(command, recordingContext());
  let read: { words: string[]; options: ProgramOptions } | undefined;
  command.action((words: string[], options: ProgramOptions) => {
    read = { words, options };
  });
  try {
    program.parse(['run', ...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
  }
  return read;
}

describe('readRunLine', () => {
  test.each([
    [['--', 'node', 'x.js']],
    [['node', '--version']],
    [['node', '--', '--conf', 'x']],
    [['--', '--odd-program', '-x']],
    [['--conf', 'narenas:2', '--', 'node']],
    [['--conf=narenas:2', '--preset=none', '--print', '--json', 'node', '']],
    [['--no-children', '--fallback', 'fail', '--allocator=system', '--library', '/x y.so', 'node']],
    [['--conf', 'a:1', '--conf', 'b:2', 'node']],
    [['--agent', 'node']],
    [['--no-agent', 'node']],
    [['--agent', '--no-agent', '--no-agent', '--agent', 'node']],
  ])('%j is read without commander, as commander would', (args) => {
    const quick = readRunLine(args);
    expect(quick).toBeDefined();
    expect(quick).toEqual(byCommander(args));
  });

  test.each([
    [[]],
    [['--']],
    [['--help']],
    [['-h', 'node']],
    [['--unknown', 'node']],
    [['--fallback', 'maybe', 'node']],
    [['--allocator=libc', 'node']],
    [['--conf']],
    [['--conf=', 'node']],
    [['--conf', '--print', 'node']],
    [['--print=yes', 'node']],
    [['-', 'node']],
  ])('%j is left to commander', (args) => {
    expect(readRunLine(args)).toBeUndefined();
  });

  test('whatever it reads, commander reads the same', () => {
    const word = fc.oneof(
      fc.constantFrom(
        '--',
        '-',
        '--conf',
        '--conf=a:1',
        '--preset',
        'none',
        '--library',
        '/x.so',
        '--library=',
        '--fallback',
        'fail',
        '--fallback=warn',
        '--allocator',
        'system',
        '--allocator=tcmalloc',
        '--no-children',
        '--agent',
        '--no-agent',
        '--print',
        '--json',
        '--children',
        '-h',
        '--help',
        'node',
        '',
        'a b',
        'é',
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 7 }), (args) => {
        const quick = readRunLine(args);
        if (quick) expect(quick).toEqual(byCommander(args));
      }),
      { numRuns: 2000 },
    );
  });

  test('every allocator can be asked for', () => {
    expect(ALLOCATORS).toEqual([...PRELOADABLE_ALLOCATORS, 'system']);
  });
});
