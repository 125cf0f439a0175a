import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readCommandTree } from '../../src/cli/command-tree.js';
import { type CommandTree, placesOf } from '../../src/model/command-tree.js';
import { readPages } from '../support/documentation.js';
import { ROOT } from '../support/programs.js';
import { recordingContext, sourceProgram } from '../support/source-program.js';

const pages = readPages();
const page = (name: string) => pages.find((candidate) => candidate.name === name)?.text ?? '';
const source = (name: string) => readFileSync(join(ROOT, 'src', name), 'utf8');

/** The anchor that a heading gets on the usual hosts of Markdown. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-');
}

describe('links', () => {
  test.each(pages)('of $name lead to pages and headings that are there', ({ name, text }) => {
    const broken = [...text.matchAll(/\]\((?!https?:)([^)\s]*)\)/g)]
      .map((match) => match[1] ?? '')
      .filter((link) => {
        const [path = '', anchor] = link.split('#');
        const file = path === '' ? join(ROOT, name) : join(ROOT, dirname(name), path);
        if (!existsSync(file)) return true;
        if (anchor === undefined || statSync(file).isDirectory()) return false;
        const headings = [...readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gm)].map((match) =>
          anchorOf(match[1] ?? ''),
        );
        return !headings.includes(anchor);
      });
    expect(broken).toEqual([]);
  });

  test('the index of the guides names every page', () => {
    const guides = readdirSync(join(ROOT, 'docs', 'guide')).filter((name) => name !== 'README.md');
    expect(guides.filter((name) => !page('docs/guide/README.md').includes(`(${name})`))).toEqual([]);
  });
});

/** Command lines of jem in a text: the words after `jem`, up to what ends a command. */
function commandLines(text: string): string[][] {
  const lines = text.replace(/\\\n/g, ' ');
  return [...lines.matchAll(/(?<![\w./-])(?:npx )?jem ([^\n`|;&)>#"]*)/g)].map((match) =>
    (match[1] ?? '').split(/[\s(]+/).filter(Boolean),
  );
}

/** What is wrong with a command line, as far as verbs and options go. */
function mistakeIn(words: readonly string[], tree: CommandTree): string | undefined {
  let command = tree;
  for (const word of words) {
    if (word === '--' || (command.arguments[0]?.value.kind === 'program' && !word.startsWith('-'))) return undefined;
    if (word.startsWith('-')) {
      const flag = word.replace(/=.*/, '').replace(/[.,…]+$/, '');
      if (!command.options.some(({ flags }) => flags.includes(flag))) return `${command.name}: no option ${flag}`;
      continue;
    }
    const child = command.commands.find(({ name }) => name === word);
    if (child) command = child;
    else if (command === tree) return `no verb ${word}`;
  }
  return undefined;
}

describe('commands', () => {
  test('in code on the pages have verbs and options that exist', async () => {
    const tree = readCommandTree((await sourceProgram(recordingContext())).version('0'));
    const mistakes = pages.flatMap(({ name, text, blocks }) => {
      const inline = [...text.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/`(jem [^`]+)`/g)].map(
        (match) => match[1] ?? '',
      );
      const code = [...blocks.filter(({ language }) => language !== 'js').map((block) => block.text), ...inline];
      return code
        .flatMap(commandLines)
        .filter(([first]) => first !== undefined && !/^(VERB|is|in)$/.test(first))
        .map((words) => ({ words, mistake: mistakeIn(words, tree) }))
        .filter(({ mistake }) => mistake !== undefined)
        .map(({ words, mistake }) => `${name}: jem ${words.join(' ')}: ${mistake}`);
    });
    expect(mistakes).toEqual([]);
  });

  test('the table of README.md has every verb', async () => {
    const tree = readCommandTree(await sourceProgram(recordingContext()));
    const verbs = placesOf(tree).filter(({ path }) => path.length === 2);
    expect(
      verbs
        .map(({ command }) => command.name)
        .filter((verb) => verb !== 'help' && !new RegExp(`\`(jem )?${verb}\\b`).test(page('README.md'))),
    ).toEqual([]);
  });
});

describe('docs/guide/not-loading.md', () => {
  test('explains every reason for which a program runs without jemalloc', () => {
    const union = /readonly reason:\s*((?:\s*\| '[a-z-]+')+)/.exec(source('model/launch-plan.ts'))?.[1] ?? '';
    const reasons = [...union.matchAll(/'([a-z-]+)'/g)].map((match) => match[1]);
    expect(reasons.length).toBeGreaterThan(5);
    expect(reasons.filter((reason) => !page('docs/guide/not-loading.md').includes(`### \`${reason}\``))).toEqual([]);
  });

  test('explains every cause that doctor gives for a process without jemalloc', () => {
    const files = readdirSync(join(ROOT, 'src', 'analyses')).filter((name) =>
      /^(explain|doctor)-(?!malloc)/.test(name),
    );
    const text = files.map((name) => source(join('analyses', name))).join('\n');
    const causes = [
      ...text.matchAll(/(?:\bid: |: )'((?:preload|static|secure|musl|started|unit|pm2|mapped|environment)-[a-z-]+)'/g),
    ].map((match) => match[1]);
    expect(causes.length).toBeGreaterThan(10);
    expect([...new Set(causes)].filter((id) => !page('docs/guide/not-loading.md').includes(`\`${id}\``))).toEqual([]);
  });
});

test('every variable that jemkit reads is in the table of the guide', () => {
  const names = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.[cm]?ts$/.test(name))
    .flatMap((name) =>
      [...source(name).matchAll(/environment?\['(JEMKIT_[A-Z_]+)'\]|\benv\['(JEMKIT_[A-Z_]+)'\]/g)].map(
        (match) => match[1] ?? match[2] ?? '',
      ),
    )
    .filter((name) => !/^JEMKIT_(SCOPE|PROBE)/.test(name));
  expect(names.length).toBeGreaterThan(3);
  const text = page('docs/guide/getting-started.md');
  expect([...new Set(names)].filter((name) => !text.includes(`| \`${name}\` |`))).toEqual([]);
});
