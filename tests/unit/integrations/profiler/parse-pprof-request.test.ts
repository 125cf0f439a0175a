import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePprofRequest } from '../../../../src/integrations/profiler/parse-pprof-request.js';

const HEAP = { kind: 'profile', name: 'heap', seconds: undefined, asText: false, gcFirst: false } as const;

describe('requests of pprof', () => {
  test.each([
    ['/debug/pprof/heap', HEAP],
    ['/heap', HEAP],
    ['/internal/debug/pprof/heap', HEAP],
    ['/debug/pprof/allocs', { ...HEAP, name: 'allocs' }],
    ['/debug/pprof/heap?seconds=30', { ...HEAP, seconds: 30 }],
    ['/debug/pprof/heap?debug=1&gc=1', { ...HEAP, asText: true, gcFirst: true }],
    ['/debug/pprof/heap?debug=0&gc=0', HEAP],
    ['/debug/pprof/heap?other=1', HEAP],
    ['/debug/pprof/', { kind: 'index' }],
    ['/', { kind: 'index' }],
    ['/debug/pprof', { kind: 'index-elsewhere' }],
    ['', { kind: 'index-elsewhere' }],
    ['/debug/pprof/profile', { kind: 'unknown' }],
    ['/debug/pprof/heap/', { kind: 'unknown' }],
    ['/debug/pprofheap', { kind: 'unknown' }],
    ['/favicon.ico', { kind: 'unknown' }],
  ])('%s', (url, expected) => {
    expect(parsePprofRequest(url)).toEqual(expected);
  });

  test.each(['0', '-1', '1.5', '1e3', '3601', 'NaN', '', '99999999999999999999'])('seconds=%s is refused', (text) => {
    expect(parsePprofRequest(`/debug/pprof/heap?seconds=${text}`)).toMatchObject({
      kind: 'invalid',
      reason: expect.stringContaining('expected a whole number from 1 to 3600'),
    });
  });

  test('any text is read without an exception', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.boolean(), (text, mounted) => {
        const { kind } = parsePprofRequest(mounted ? `/debug/pprof/${text}` : text);
        expect(['index', 'index-elsewhere', 'profile', 'unknown', 'invalid']).toContain(kind);
      }),
    );
  });
});
