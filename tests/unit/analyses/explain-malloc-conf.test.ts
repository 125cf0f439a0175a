import { describe, expect, test } from 'vitest';
import { explainMallocConf, summarizeMallocConfOptions } from '../../../src/analyses/explain-malloc-conf.js';
import { MALLOC_CONF_OPTIONS, type OptionRow } from '../../../src/model/malloc-conf-options.js';

const say = (conf: string) => explainMallocConf(conf)[0]?.sentence;

describe('explainMallocConf', () => {
  test.each([
    ['dirty_decay_ms:1000', /Here: 1 s\. Default: 10 s\.$/],
    ['dirty_decay_ms:0', /Here: 0 \(at once, which costs CPU\)\. Default: 10 s\.$/],
    ['lg_prof_sample:17', /Here: 2\^17 = 128 KiB\. Default: 2\^19 = 512 KiB\.$/],
    ['tcache:false', /Off\. Default: on\.$/],
    ['tcache:true', /On, which is the default\.$/],
    ['tcache_max:4096', /Here: 4 KiB\. Default: 32 KiB\.$/],
    ['thp:a', /Here: always \(/],
    ['purge:decay', /^Gone since jemalloc 5\.0\.0/],
    ['nothing:1', /^No such option/],
    ['narenas:x', /so it is ignored\.$/],
    [' narenas:2', /^Does nothing: jemalloc stops/],
  ])('%s', (conf, sentence) => {
    expect(say(conf)).toMatch(sentence);
  });

  test('says every option in whole sentences', () => {
    for (const [key, row] of Object.entries<OptionRow>(MALLOC_CONF_OPTIONS)) {
      const value = row.default ?? row.words?.[0] ?? (row.type === 'size-classes' ? '1-64:2' : '1');
      expect(say(`${key}:${value}`)).toMatch(/[.]$/);
    }
  });
});

test('the summaries follow the release', () => {
  const names = (version: '4.5.0' | '5.3.0' | '5.4.0') => summarizeMallocConfOptions(version).map(({ name }) => name);
  expect(names('4.5.0')).toContain('decay_time');
  expect(names('5.3.0')).not.toContain('decay_time');
  expect(names('5.3.0')).toContain('tcache_nslots_large');
  expect(names('5.4.0')).not.toContain('tcache_nslots_large');
  expect(summarizeMallocConfOptions()).toHaveLength(Object.keys(MALLOC_CONF_OPTIONS).length);
});
