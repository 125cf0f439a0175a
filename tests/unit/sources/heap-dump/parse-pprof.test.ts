import { Profile, StringTable } from 'pprof-format';
import { describe, expect, test } from 'vitest';
import { frameAt, stackFrames } from '../../../../src/model/heap-profile.js';
import { parsePprof } from '../../../../src/sources/heap-dump/parse-pprof.js';
import { goldenBytes } from '../../../support/golden-profiles.js';

function pprof(
  types: readonly string[],
  values: readonly (number | bigint)[],
  labels: Readonly<Record<string, string>> = {},
) {
  const stringTable = new StringTable();
  return new Profile({
    stringTable,
    sampleType: types.map((type) => ({
      type: stringTable.dedup(type),
      unit: stringTable.dedup(/space|bytes/.test(type) ? 'bytes' : 'count'),
    })),
    sample: [
      {
        locationId: [],
        value: [...values],
        label: Object.entries(labels).map(([key, value]) => ({
          key: stringTable.dedup(key),
          str: stringTable.dedup(value),
        })),
      },
    ],
  }).encode();
}

describe('the columns', () => {
  test('of Go, whatever their order', () => {
    const types = ['inuse_space', 'alloc_objects', 'alloc_space', 'inuse_objects'];
    const { samples } = parsePprof(pprof(types, [1, 2, 3, 4]));
    expect([
      samples.liveBytes[0],
      samples.allocatedObjects![0],
      samples.allocatedBytes![0],
      samples.liveObjects[0],
    ]).toEqual([1, 2, 3, 4]);
  });

  test('of allocations alone stand for both, which is said', () => {
    const { samples, capture } = parsePprof(pprof(['alloc_objects', 'alloc_space'], [2, 3]));
    expect([samples.liveBytes[0], samples.allocatedBytes![0]]).toEqual([3, 3]);
    expect(capture.notes.join()).toMatch(/not what is held/);
  });

  test('of others are taken by their unit', () => {
    const { samples, capture } = parsePprof(pprof(['held_bytes'], [9]));
    expect([samples.liveBytes[0], samples.liveObjects[0]]).toEqual([9, Number.NaN]);
    expect(capture.notes.join()).toMatch(/"held_bytes"/);
  });

  test('of a difference may be negative', () => {
    expect(parsePprof(pprof(['inuse_space'], [-5n])).samples.liveBytes[0]).toBe(-5);
  });

  test('of a CPU profile are refused', () => {
    expect(() => parsePprof(pprof(['samples', 'cpu'], [1, 2]))).toThrow(
      /received values of "samples\/count", "cpu\/count"/,
    );
  });
});

test('a thread has its name rather than its number', () => {
  const { samples, strings } = parsePprof(pprof(['space'], [1], { 'thread id': '7', 'thread name': 'worker' }));
  expect(strings[samples.thread[0]!]).toBe('worker');
});

test('of Go: functions that were inlined, lines, where functions begin', () => {
  const profile = parsePprof(goldenBytes('go/1.19.8/heap.pb.gz'));
  const stacks = Array.from({ length: profile.stacks.count }, (_, stack) =>
    Array.from(stackFrames(profile, stack), (frame) => frameAt(profile, frame)),
  );
  const stack = stacks.find(([first]) => first?.name === 'main.inlinedIntoHoldTen');
  expect(stack?.[0]).toMatchObject({ file: './main.go', line: 27, inlined: true, module: '/srv/holders/holders' });
  expect(stack?.[1]).toMatchObject({ name: 'main.holdTen', inlined: false, address: stack?.[0]?.address });
  expect(profile.capture).toMatchObject({ format: 'pprof', sampleBytes: 4096 });
});

test('a file that was cut off is refused, not read up to there', () => {
  const bytes = goldenBytes('go/1.19.8/heap.pb.gz');
  expect(() => parsePprof(bytes.subarray(0, bytes.length - 3))).toThrow(/damaged or cut off/);
});
