import { describe, expect, test } from 'vitest';
import { checkMallocConf } from '../../../src/analyses/check-malloc-conf.js';
import { checkPreflight, type ObservedMallocConf } from '../../../src/analyses/check-preflight.js';

const observed = (changes: Partial<ObservedMallocConf>): ObservedMallocConf => ({
  messages: [],
  effective: {},
  profilingCompiledIn: true,
  ...changes,
});

describe('checkPreflight', () => {
  test('says why a library without profiling refuses', () => {
    const messages = [{ kind: 'refused', key: 'prof', value: 'true', reason: 'Invalid conf pair' }] as const;
    expect(checkPreflight('narenas:2,prof:true', observed({ messages, profilingCompiledIn: false }), [])).toEqual([
      expect.objectContaining({
        id: 'library-refuses',
        offset: 10,
        length: 9,
        cause: expect.stringContaining('config.prof'),
      }),
    ]);
  });

  test('does not repeat what the string alone showed', () => {
    const conf = 'narena:2';
    const messages = [{ kind: 'refused', key: 'narena', value: '2', reason: 'Invalid conf pair' }] as const;
    expect(checkPreflight(conf, observed({ messages }), checkMallocConf(conf))).toEqual([]);
  });

  test('compares what was asked for with what it became', () => {
    const found = checkPreflight(
      'narenas:2,thp:always,tcache:0x0',
      observed({ effective: { narenas: '8', thp: 'always' } }),
      [],
    );
    expect(found).toEqual([
      expect.objectContaining({
        id: 'effective-differs',
        key: 'narenas',
        title: 'narenas is 8 after the start, not 2',
      }),
    ]);
    expect(checkPreflight('narenas:0x2', observed({ effective: { narenas: '2' } }), [])).toEqual([]);
    expect(checkPreflight('narenas:default', observed({ effective: { narenas: '8' } }), [])).toEqual([]);
  });

  test('names a later source that sets the option too', () => {
    const messages = [
      { kind: 'source', source: 'environment', conf: 'narenas:2' },
      { kind: 'source', source: 'malloc_conf_2-symbol', conf: 'narenas:8' },
    ] as const;
    const [finding] = checkPreflight('narenas:2', observed({ messages, effective: { narenas: '8' } }), []);
    expect(finding?.cause).toBe('a later source sets it too: malloc_conf_2-symbol “narenas:8”');
  });
});
