import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseControlGroups, systemdUnitOf } from '../../../../src/sources/procfs/control-groups.js';

const GOLDEN = join(import.meta.dirname, '../../../golden/procfs/linux-6.18');

test('reads both versions side by side', () => {
  const groups = parseControlGroups(readFileSync(join(GOLDEN, 'sleep-jemalloc.cgroup'), 'utf8'));
  expect(groups).toContainEqual({ version: 1, controllers: ['memory'], path: '/web/app' });
  expect(groups).toContainEqual({ version: 2, controllers: [], path: '/' });
});

test('never throws; every path begins with a slash', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      for (const { path } of parseControlGroups(text)) expect(path.startsWith('/')).toBe(true);
    }),
  );
});

describe('the systemd unit', () => {
  const unitOf = (text: string) => systemdUnitOf(parseControlGroups(text));

  test.each([
    ['0::/system.slice/web.service', { unit: 'web.service', ofUser: false }],
    ['0::/system.slice/system-web.slice/web@2.service/worker', { unit: 'web@2.service', ofUser: false }],
    ['0::/user.slice/user-1000.slice/user@1000.service/app.slice/web.service', { unit: 'web.service', ofUser: true }],
    ['0::/user.slice/user-1000.slice/session-3.scope', undefined],
    ['0::/user.slice/user-1000.slice/user@1000.service/app.slice/shell.scope', undefined],
    ['1:name=systemd:/system.slice/web.service\n0::/', { unit: 'web.service', ofUser: false }],
    ['9:name=systemd:/\n0::/', undefined],
    ['', undefined],
  ])('%j', (text, expected) => expect(unitOf(text)).toEqual(expected));
});
