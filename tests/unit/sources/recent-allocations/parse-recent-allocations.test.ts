import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JemkitError } from '../../../../src/errors.js';
import { parseRecentAllocations } from '../../../../src/sources/recent-allocations/parse-recent-allocations.js';

const TEXT =
  '{"sample_interval":1,"recent_alloc_max":1000,"recent_alloc":[' +
  '{"size":1000,"usize":1024,"released":false,"alloc_thread_uid":0,"alloc_time":24518756276095,"alloc_trace":["0x7f2fa1ca2630","0x55ad31fc71c9"]},' +
  '{"size":5000,"usize":5120,"released":true,"alloc_thread_uid":0,"alloc_time":100,"alloc_trace":["0x10000000000001"],"dalloc_thread_uid":0,"dalloc_time":4000100,"dalloc_trace":["0x1"]}]}';

describe('parseRecentAllocations', () => {
  test('reads what jemalloc 5.3.0 writes', () => {
    expect(parseRecentAllocations(TEXT, 'x')).toEqual([
      {
        bytes: 1024,
        allocatedAtNs: 24518756276095,
        freedAtNs: undefined,
        freed: false,
        trace: [0x7f2fa1ca2630, 0x55ad31fc71c9],
      },
      { bytes: 5120, allocatedAtNs: 100, freedAtNs: 4000100, freed: true, trace: [2 ** 52 + 1] },
    ]);
  });

  test.each([
    '',
    '{',
    '[]',
    '{}',
    '{"recent_alloc":[1]}',
    '{"recent_alloc":[{"size":1}]}',
    TEXT.slice(0, -10),
    TEXT.replace('0x55ad31fc71c9', 'main'),
  ])('refuses %j', (text) => {
    expect(() => parseRecentAllocations(text, 'file')).toThrow(/^file is no list of recent allocations/);
  });

  test('throws nothing but its own error', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.nat(TEXT.length).map((at) => `${TEXT.slice(0, at)}7${TEXT.slice(at + 1)}`),
        ),
        (text) => {
          try {
            parseRecentAllocations(text, 'file');
          } catch (error) {
            expect(error).toBeInstanceOf(JemkitError);
          }
        },
      ),
    );
  });
});
