import { expect, test } from 'vitest';
import { effectiveConf } from '../../../src/analyses/effective-conf.js';
import { judgeConf } from '../../../src/analyses/judge-conf.js';
import type { ConfOrigin } from '../../../src/model/allocator-environment.js';

const SYMBOL: ConfOrigin = { source: 'malloc_conf-symbol', name: 'symbol', text: 'narenas:4,tcache:false' };
const LINK: ConfOrigin = { source: 'etc-malloc-conf', name: '/etc/malloc.conf', text: 'narenas:3' };
const VARIABLE: ConfOrigin = {
  source: 'environment',
  name: 'MALLOC_CONF',
  text: 'narenas:2,dirty_decay_ms:5,narenas:1',
};

test('the last source that names an option wins, and says whom it beat', () => {
  const { effective } = effectiveConf([SYMBOL, LINK, VARIABLE]);
  expect(effective.map(({ key, value, origin }) => [key, value, origin.name])).toEqual([
    ['tcache', 'false', 'symbol'],
    ['dirty_decay_ms', '5', 'MALLOC_CONF'],
    ['narenas', '1', 'MALLOC_CONF'],
  ]);
  expect(effective.at(-1)?.overrides.map(({ name }) => name)).toEqual(['symbol', '/etc/malloc.conf', 'MALLOC_CONF']);
});

test('a pair that jemalloc refuses leaves the earlier one in force', () => {
  const origins = [SYMBOL, { ...VARIABLE, text: 'tcache:maybe,narenas:2' }];
  const conf = judgeConf(origins, '5.3.0-0-g54eaed1d8b56b1aa528be3bdd1877e59c56fa90c', 'linux');
  expect(conf.version).toBe('5.3.0');
  expect(conf.effective.map(({ key, value }) => `${key}:${value}`)).toEqual(['tcache:false', 'narenas:2']);
  expect(conf.ignored).toMatchObject([{ key: 'tcache', value: 'maybe' }]);
  expect(conf.findings).toMatchObject([{ severity: 'problem', title: expect.stringContaining('MALLOC_CONF: tcache') }]);
});

test('what stands behind a malformed pair is not reached', () => {
  const { effective, ignored } = effectiveConf([{ ...VARIABLE, text: 'narenas:2, tcache:false' }]);
  expect(effective.map(({ key }) => key)).toEqual(['narenas']);
  expect(ignored.map(({ key }) => key)).toEqual(['tcache']);
});

test('a version that is none judges by what holds for all', () => {
  expect(judgeConf([LINK], 'unknown', 'linux')).toMatchObject({ version: undefined, findings: [] });
});
