import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { confVariable, readConfLink, readConfOrigins } from '../../../../src/sources/process/conf-origins.js';
import { temporaryFolder } from '../../../support/programs.js';

test("the link's target holds the options; a regular file is ignored by jemalloc", () => {
  const folder = temporaryFolder();
  symlinkSync('narenas:2,tcache:false', join(folder, 'link'));
  writeFileSync(join(folder, 'file'), 'narenas:2');
  expect(readConfLink(join(folder, 'link'))).toEqual({ kind: 'link', text: 'narenas:2,tcache:false' });
  expect(readConfLink(join(folder, 'file'))).toEqual({ kind: 'file' });
  expect(readConfLink(join(folder, 'none'))).toEqual({ kind: 'none' });
});

test('sources in the order jemalloc reads them, empty ones left out', () => {
  const linkPath = join(temporaryFolder(), 'link');
  symlinkSync('narenas:2', linkPath);
  const variables = { MALLOC_CONF: 'narenas:3', _RJEM_MALLOC_CONF: 'narenas:4' };
  const base = { compiledIn: 'abort:false', symbol: undefined, linkPath, variables };
  expect(readConfOrigins({ ...base, prefix: '' }).map(({ source, text }) => [source, text])).toEqual([
    ['compiled-in', 'abort:false'],
    ['etc-malloc-conf', 'narenas:2'],
    ['environment', 'narenas:3'],
  ]);
  expect(readConfOrigins({ ...base, prefix: '_rjem_' }).at(-1)).toMatchObject({
    name: '_RJEM_MALLOC_CONF',
    text: 'narenas:4',
  });
});

test('a build with a prefix reads its own variable', () => {
  expect([confVariable(''), confVariable('_rjem_'), confVariable('je_')]).toEqual([
    'MALLOC_CONF',
    '_RJEM_MALLOC_CONF',
    'JE_MALLOC_CONF',
  ]);
});
