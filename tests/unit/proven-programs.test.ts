import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../support/programs.js';

const read = (...path: string[]) => readFileSync(join(ROOT, ...path), 'utf8');
const HEADER = read('native', 'agent', 'proven-programs.h');

/** The names of a list in the header. */
function listed(list: string): string[] {
  const body = new RegExp(`${list}\\[\\] = \\{([^}]*)\\}`).exec(HEADER)?.[1] ?? '';
  return [...body.replace(/\/\*[\s\S]*?\*\//g, '').matchAll(/"([^"]+)"/g)].map(([, name]) => name ?? '');
}

test('the guide names the programs in which the agent acts by default, and no others', () => {
  const row = /^\| without an option, `JEMKIT_AGENT=auto` \| (.*), and what they start of the same \|$/m.exec(
    read('docs', 'guide', 'linux.md'),
  );
  // The file behind the link redis-server.
  const proven = listed('jm_proven_programs').filter((name) => name !== 'redis-check-rdb');
  expect(proven.length).toBeGreaterThan(3);
  expect(row?.[1]?.split(', ').sort()).toEqual(proven.sort());
});

test('none is both proven and unfit', () => {
  const unfit = listed('jm_unfit_programs');
  expect(unfit).toContain('unshare');
  expect(listed('jm_proven_programs').filter((name) => unfit.includes(name))).toEqual([]);
});
