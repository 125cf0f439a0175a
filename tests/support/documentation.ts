import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './programs.js';

/** A fenced block of a page. */
export interface Block {
  /** `docs/guide/linux.md:12`: where its first line of content stands. */
  readonly place: string;
  readonly language: string;
  readonly text: string;
}

/** A page of the documentation that people read. */
export interface Page {
  /** From the root of the checkout. */
  readonly name: string;
  readonly text: string;
  readonly blocks: readonly Block[];
}

function parseBlocks(name: string, text: string): Block[] {
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map((match) => ({
    place: `${name}:${text.slice(0, match.index).split('\n').length + 1}`,
    language: match[1] ?? '',
    text: match[2] ?? '',
  }));
}

/** README.md, CONTRIBUTING.md, CHANGELOG.md and every page under docs/. */
export function readPages(): Page[] {
  const below = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name))
    .sort();
  return ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...below].map((name) => {
    const text = readFileSync(join(ROOT, name), 'utf8');
    return { name, text, blocks: parseBlocks(name, text) };
  });
}
