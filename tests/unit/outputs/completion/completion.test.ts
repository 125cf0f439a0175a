import { beforeAll, describe, expect, test } from 'vitest';
import { offeredConfOptions, readCommandTree } from '../../../../src/cli/command-tree.js';
import { type CommandTree, placesOf } from '../../../../src/model/command-tree.js';
import { renderBashCompletion } from '../../../../src/outputs/completion/bash.js';
import { renderFishCompletion } from '../../../../src/outputs/completion/fish.js';
import { renderZshCompletion } from '../../../../src/outputs/completion/zsh.js';
import { recordingContext, sourceProgram } from '../../../support/source-program.js';

const RENDERERS = { bash: renderBashCompletion, zsh: renderZshCompletion, fish: renderFishCompletion };

let tree: CommandTree;
beforeAll(async () => {
  tree = readCommandTree(await sourceProgram(recordingContext()));
});

/** How a shell's script spells an option of a command, so that the option is found where it belongs and nowhere else. */
const SPELLINGS: Record<keyof typeof RENDERERS, (path: readonly string[], flag: string, script: string) => boolean> = {
  bash: (path, flag, script) => {
    const row = script.split('\n').find((line) => line.trimStart().startsWith(`'${path.join(' ')}') commands=`)) ?? '';
    return (/options='([^']*)'/.exec(row)?.[1] ?? '').split(' ').includes(flag);
  },
  zsh: (path, flag, script) => {
    const body = script.split(`\n_${path.join('_')}() {`)[1]?.split('\n}\n')[0] ?? '';
    return new RegExp(`(^|[)'\\s])${flag}[=+-]*\\[`, 'm').test(body);
  },
  fish: (path, flag, script) => {
    const spelled = flag.startsWith('--') ? ` -l ${flag.slice(2)} ` : ` -s ${flag.slice(1)} `;
    return script
      .split('\n')
      .some((line) => line.includes(`__jem_at \\'${path.join(' ')}\\''`) && line.includes(spelled));
  },
};

describe.each(Object.keys(RENDERERS) as (keyof typeof RENDERERS)[])('%s', (shell) => {
  test('every verb, subcommand and option stands in the script', () => {
    const script = RENDERERS[shell](tree, offeredConfOptions());
    const missing: string[] = [];
    for (const { path, command } of placesOf(tree)) {
      for (const flag of command.options.flatMap(({ flags }) => flags)) {
        if (!SPELLINGS[shell](path, flag, script)) missing.push([...path, flag].join(' '));
      }
      for (const child of command.commands)
        if (!script.includes(child.name)) missing.push([...path, child.name].join(' '));
    }
    expect(missing).toEqual([]);
  });

  test('every choice and MALLOC_CONF option stands in the script', () => {
    const script = RENDERERS[shell](tree, offeredConfOptions());
    const values = placesOf(tree).flatMap(({ command }) =>
      [...command.options, ...command.arguments].map(({ value }) => value),
    );
    for (const value of values) if (value?.kind === 'words') expect(script).toContain(value.words.join(' '));
    for (const { key } of offeredConfOptions()) expect(script).toContain(key);
  });

  test('quotes in a summary do not end a string of the script', () => {
    const hostile: CommandTree = {
      name: 'jem',
      summary: '',
      options: [
        {
          flags: ['--it'],
          summary: `it's [a] "trap": $(touch x) \`x\` \\`,
          value: undefined,
          valueName: '',
          valueOptional: false,
        },
      ],
      arguments: [],
      programAfterDashes: false,
      commands: [],
    };
    const script = RENDERERS[shell](hostile, []);
    // Every single quote opens or closes a string: taken away with what they hold, nothing hostile may be left.
    const escaped = shell === 'fish' ? /'(?:[^'\\]|\\.)*'/g : /'[^']*'(?:\\''[^']*')*/g;
    const line = script.split('\n').find((text) => text.includes('trap'));
    if (shell === 'bash') expect(line).toBeUndefined();
    else expect(line?.replace(escaped, '')).not.toMatch(/trap|touch|`/);
  });
});
