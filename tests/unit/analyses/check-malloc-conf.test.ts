import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkMallocConf } from '../../../src/analyses/check-malloc-conf.js';

const ids = (conf: string, version?: string) => checkMallocConf(conf, { version }).map(({ id }) => id);
const first = (conf: string, version?: string) => checkMallocConf(conf, { version })[0];

describe('checkMallocConf', () => {
  test('has nothing to say about a good string', () => {
    expect(checkMallocConf('background_thread:true,narenas:4,dirty_decay_ms:1000', { version: '5.3.0' })).toEqual([]);
    expect(checkMallocConf('')).toEqual([]);
  });

  test.each([
    ['dirty_decay:5000', 'dirty_decay_ms:5000'],
    ['dirty_decay:5s', 'dirty_decay_ms:5000'],
    ['background_threads:true', 'background_thread:true'],
    ['backgroundThread:1', 'background_thread:true'],
    ['narena:2', 'narenas:2'],
    ['BACKGROUND_THREAD:true', 'background_thread:true'],
    ['max-background-threads', undefined],
    ['muzzy_dceay_ms:0', 'muzzy_decay_ms:0'],
  ])('%s was meant as %s', (conf, remedy) => {
    expect(first(conf, '5.3.0')?.remedy).toBe(remedy);
  });

  test('says which part of the string it is about', () => {
    const conf = 'narenas:2,dirty_decay:1,background_thread:yes';
    const parts = checkMallocConf(conf, { version: '5.3.0' }).map(({ offset, length }) =>
      conf.slice(offset, offset + length),
    );
    expect(parts).toEqual(['dirty_decay', 'yes']);
  });

  test.each([
    ['decay_time:10', '5.3.0', 'removed-option'],
    ['decay_time:10', undefined, 'removed-option'],
    ['dirty_decay_ms:10', '4.5.0', 'option-too-new'],
    ['confirm_conf:true', '5.2.0', 'option-too-new'],
    ['tcache_nslots_large:10', '5.4.0', 'removed-option'],
    ['prof_bt_max:10', undefined, 'version-dependent'],
    ['thp:always', '5.0.1', 'option-too-new'],
    ['cache_oblivious:true', '5.3.0', 'option-too-new'],
    ['utrace:true', '5.3.0', 'rare-build'],
    ['experimental_nothing:true', '5.3.0', 'unknown-option'],
    ['percpu:percpu', '5.3.0', 'abbreviated-option'],
    [':x', '5.3.0', 'unknown-option'],
    ['narenas:two', '5.3.0', 'invalid-value'],
    ['narenas:default', '5.2.1', 'invalid-value'],
    ['narenas:0', '5.3.0', 'out-of-range'],
    ['tcache_max:-1', '5.3.0', 'out-of-range'],
    ['lg_prof_sample:70,prof:true', '5.3.0', 'clipped-value'],
    ['narenas:010', '5.3.0', 'octal-value'],
    ['narenas: 2', '5.3.0', 'space-in-pair'],
    ['thp:a', '5.3.0', 'abbreviated-value'],
    ['narenas:2,narenas:3', '5.3.0', 'duplicate-option'],
    ['narenas:2,', '5.3.0', 'trailing-comma'],
    ['narenas', '5.3.0', 'no-value'],
    [',narenas:2', '5.3.0', 'malformed-pair'],
    ['lg_prof_sample:17', '5.3.0', 'needs-option'],
    ['prof:true,prof_leak:true', '5.3.0', 'needs-option'],
    ['max_background_threads:2', '5.3.0', 'needs-option'],
    ['tcache:false,tcache_max:4096', '5.3.0', 'needs-option'],
    ['percpu_arena:percpu,narenas:2', '5.3.0', 'arena-count-conflict'],
    ['narenas:2,narenas_ratio:1', '5.3.0', 'arena-count-conflict'],
    ['background_thread:true,dirty_decay_ms:-1,muzzy_decay_ms:100', '5.3.0', 'muzzy-without-dirty'],
    ['dirty_decay_ms:1000', '5.3.0', 'no-background-thread'],
    ['background_thread:true,dirty_decay_ms:0', '5.3.0', 'immediate-decay'],
    ['abort_conf:true', '5.3.0', 'abort-conf'],
    ['prof:true,prof_final:true', '5.3.0', 'prof-final'],
    ['confirm_conf:true', '5.3.0', 'confirm-conf'],
  ])('%s for %s: %s', (conf, version, id) => {
    expect(ids(conf, version)).toContain(id);
  });

  test('an older form under the same name is read as it was', () => {
    expect(ids('thp:true', '4.5.0')).toEqual([]);
    expect(ids('thp:always', '4.5.0')).toEqual(['invalid-value']);
    expect(ids('thp:true', '5.3.0')).toEqual(['invalid-value']);
  });

  test('a space after a comma costs everything behind it, and the whole string is offered repaired', () => {
    expect(first('narenas:2, dirty_decay_ms:5000', '5.3.0')).toMatchObject({
      id: 'malformed-pair',
      severity: 'problem',
      title: "a space at position 11 makes jemalloc ignore ' dirty_decay_ms:5000'",
      remedy: 'narenas:2,dirty_decay_ms:5000',
    });
    expect(first(',narenas:2')?.title).toBe('a comma at position 1 makes jemalloc ignore the whole string');
    expect(first('narenas=2')?.remedy).toBe('narenas:2');
  });

  test('macOS has no background threads', () => {
    const findings = checkMallocConf('background_thread:true', { version: '5.3.0', platform: 'darwin' });
    expect(findings.map(({ id }) => id)).toEqual(['not-on-platform']);
  });

  test('a version that is none is a usage error', () => {
    expect(() => checkMallocConf('', { version: 'latest' })).toThrow(
      expect.objectContaining({ code: 'ERR_JEM_USAGE' }),
    );
  });

  test('never throws on a string, points into it, and a repaired string has no syntax problem', () => {
    const text = fc.oneof(
      fc.string(),
      fc.stringMatching(/^(narenas|tcache|thp|[a-z]{0,3})[:= ,]{0,2}([a-z0-9 ]{0,4},? ?)*$/),
    );
    fc.assert(
      fc.property(text, fc.constantFrom(undefined, '4.5.0', '5.3.0', '5.4.0'), (conf, version) => {
        for (const { offset, length, id, remedy } of checkMallocConf(conf, { version })) {
          expect(offset).toBeGreaterThanOrEqual(0);
          expect(offset + length).toBeLessThanOrEqual(conf.length);
          if (id === 'malformed-pair' && remedy) expect(ids(remedy)).not.toContain('malformed-pair');
        }
      }),
    );
  });
});
