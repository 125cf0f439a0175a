import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ERRORS, JemkitError, type JemkitErrorCode } from '../../src/errors.js';
import { ROOT } from '../support/programs.js';

const codes = Object.keys(ERRORS) as JemkitErrorCode[];

/** The page's sections: code, and the paragraphs below it. */
function readPage(): Map<string, string[]> {
  const [, ...sections] = readFileSync(join(ROOT, 'docs', 'errors.md'), 'utf8').split(/^## /m);
  return new Map(
    sections.map((section) => {
      const [heading = '', ...paragraphs] = section.trim().split(/\n\n+/);
      return [heading, paragraphs];
    }),
  );
}

function readSources(): { name: string; text: string }[] {
  const folder = join(ROOT, 'src');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.[cm]?ts$/.test(name))
    .map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }));
}

describe('docs/errors.md', () => {
  const page = readPage();

  test('has a section for each code, in the order of the table, and no other', () => {
    expect([...page.keys()]).toEqual(codes);
  });

  test.each(codes)('%s: meaning, exit code and remedy', (code) => {
    const [meaning, exitCode, ...rest] = page.get(code) ?? [];
    expect(meaning).toBe(ERRORS[code].meaning);
    expect(exitCode).toBe(`Exit code ${ERRORS[code].exitCode}.`);
    expect(rest.some((paragraph) => paragraph.startsWith('Remedy: '))).toBe(true);
  });
});

describe('src/', () => {
  const sources = readSources().filter(({ name }) => name !== 'errors.ts');

  test('uses every code', () => {
    expect(codes.filter((code) => !sources.some(({ text }) => text.includes(`'${code}'`)))).toEqual([]);
  });

  test('creates errors with codes of the table, named where they are created', () => {
    const wrong = sources.flatMap(({ name, text }) =>
      [...text.matchAll(/new JemkitError\(\s*(?:'([^']*)'|([^\s,)]+))/g)]
        .filter(([, code]) => code === undefined || !Object.hasOwn(ERRORS, code))
        .map(([, code, other]) => `${name}: ${code ?? other}`),
    );
    expect(wrong).toEqual([]);
  });
});

test('an error carries what its options say', () => {
  const cause = new Error('why');
  const error = new JemkitError('ERR_JEM_FILE', 'what', { hint: 'how', details: { path: '/x' }, cause });
  expect(error).toMatchObject({
    name: 'JemkitError',
    code: 'ERR_JEM_FILE',
    message: 'what',
    hint: 'how',
    exitCode: 3,
    cause,
  });
  expect(error.details).toEqual({ path: '/x' });
  expect('cause' in new JemkitError('ERR_JEM_INTERNAL', 'x')).toBe(false);
});
