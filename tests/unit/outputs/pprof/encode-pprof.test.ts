import fc from 'fast-check';
import { Profile } from 'pprof-format';
import { describe, expect, test } from 'vitest';
import { FRAME_KINDS, frameAt, type HeapProfile, stackFrames } from '../../../../src/model/heap-profile.js';
import { openProfileBuilder } from '../../../../src/model/heap-profile-builder.js';
import { encodePprof } from '../../../../src/outputs/pprof/encode-pprof.js';
import { parsePprof } from '../../../../src/sources/heap-dump/parse-pprof.js';
import { goldenProfiles, PARSERS } from '../../../support/golden-profiles.js';
import { CAPTURE } from '../../../support/heap-profiles.js';

/** Everything that a profile says, without the order in which frames and strings are kept; values in whole bytes. */
function contentOf(profile: HeapProfile) {
  const { samples, strings } = profile;
  const whole = (column: Float64Array | undefined, at: number) =>
    column === undefined ? undefined : Math.round(column[at] ?? Number.NaN);
  return {
    capture: profile.capture,
    modules: profile.modules,
    samples: Array.from({ length: samples.count }, (_, at) => ({
      frames: Array.from(stackFrames(profile, samples.stack[at]!), (frame) => frameAt(profile, frame)),
      thread: strings[samples.thread[at]!],
      liveObjects: whole(samples.liveObjects, at),
      liveBytes: whole(samples.liveBytes, at),
      allocatedObjects: whole(samples.allocatedObjects, at),
      allocatedBytes: whole(samples.allocatedBytes, at),
      sampledObjects: whole(samples.sampledObjects, at),
    })),
  };
}

describe.each(goldenProfiles())('$name', ({ bytes, format }) => {
  test('comes back from pprof as it was', () => {
    const profile = PARSERS[format](bytes);
    expect(contentOf(parsePprof(encodePprof(profile)))).toEqual(contentOf(profile));
  });
});

const text = fc.constantFrom('', 'a', 'b', '/lib/c.so', 'näme', '<lambda (x)>', 'file.js');
const whole = fc.nat(0xffff);
const frame = fc.record({
  name: text,
  file: text,
  line: whole,
  column: whole,
  functionLine: whole,
  functionColumn: whole,
  position: fc.oneof(fc.constant(-1), fc.nat()),
  module: text,
  kind: fc.constantFrom(...FRAME_KINDS),
  inlined: fc.boolean(),
  address: fc.oneof(fc.constant(Number.NaN), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })),
});
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const count = fc.integer({ min: 0, max: 2 ** 50 });
const capture = fc.record({
  format: fc.string(),
  takenAtMs: maybe(fc.integer({ min: 1, max: 2e12 })),
  durationMs: maybe(fc.integer({ min: 1, max: 1e9 })),
  pid: maybe(fc.nat()),
  program: maybe(fc.string()),
  nodeVersion: maybe(fc.string()),
  jemallocVersion: maybe(fc.string()),
  sampleBytes: maybe(fc.integer({ min: 1, max: 2 ** 30 })),
  unwinder: maybe(fc.constantFrom('jemkit' as const, 'jemalloc' as const)),
  statistics: maybe(fc.constant({ 'stats.allocated': 5 })),
  sizeClasses: maybe(fc.constant([{ sizeBytes: 8, slabBytes: 4096, regionsPerSlab: 512, regionsInUse: 3, slabs: 1 }])),
  notes: fc.uniqueArray(fc.string()),
});
const module = fc.record({
  path: text,
  start: fc.nat(1000),
  end: fc.integer({ min: 1001, max: Number.MAX_SAFE_INTEGER }),
  fileOffset: fc.nat(),
  buildId: maybe(fc.constantFrom('abc0', '12')),
});

const profiles = fc
  .record({
    stacks: fc.array(
      fc.record({ frames: fc.array(frame, { maxLength: 5 }), thread: text, live: count, sampled: maybe(count) }),
      {
        maxLength: 8,
      },
    ),
    records: fc.boolean(),
    modules: fc.array(module, { maxLength: 3 }),
    capture,
  })
  .map(({ stacks, records, modules, capture }) => {
    const builder = openProfileBuilder();
    for (const one of modules) builder.module(one);
    for (const { frames, thread, live, sampled } of stacks) {
      builder.sample({
        stack: builder.stack(frames.map((one) => builder.frame(one))),
        thread,
        liveObjects: live,
        liveBytes: live * 2,
        allocatedObjects: records ? live + 1 : undefined,
        allocatedBytes: records ? live * 3 : undefined,
        sampledObjects: sampled,
      });
    }
    return builder.build(capture);
  });

test('any profile comes back as it was', () => {
  fc.assert(
    fc.property(profiles, (profile) => {
      const again = contentOf(parsePprof(encodePprof(profile)));
      const expected = contentOf(profile);
      expect(again).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});

test('inlined functions are lines of one location, the innermost first', () => {
  const builder = openProfileBuilder();
  const place = { address: 0x400100, module: '/srv/app' };
  const inner = builder.frame({ ...place, name: 'inner', file: 'a.c', line: 7, inlined: true });
  const outer = builder.frame({ ...place, name: 'outer', file: 'a.c', line: 20, functionLine: 18 });
  builder.sample({ stack: builder.stack([inner, outer]), liveObjects: 1, liveBytes: 8 });
  builder.module({ path: '/srv/app', start: 0x400000, end: 0x500000, fileOffset: 0, buildId: 'ab12' });
  const {
    location,
    function: functions,
    stringTable,
    mapping,
    defaultSampleType,
  } = Profile.decode(encodePprof(builder.build({ ...CAPTURE, sampleBytes: 4096 })));
  const names = functions.map(({ name }) => stringTable.strings[Number(name)]);
  expect(location).toHaveLength(1);
  expect(location[0]!.line.map(({ functionId, line }) => [names[Number(functionId) - 1], line])).toEqual([
    ['inner', 7],
    ['outer', 20],
  ]);
  expect(mapping[0]).toMatchObject({ memoryStart: 0x400000, hasFunctions: true, hasInlineFrames: true });
  expect(stringTable.strings[Number(mapping[0]!.buildId)]).toBe('ab12');
  expect(stringTable.strings[Number(defaultSampleType)]).toBe('inuse_space');
});

test('what is no more than an address stays one, so that pprof shows address and module', () => {
  const builder = openProfileBuilder();
  const bare = builder.frame({ address: 0x400100, module: '/srv/app', kind: 'v8' });
  builder.sample({ stack: builder.stack([bare]), liveObjects: 1, liveBytes: 8 });
  const profile = builder.build(CAPTURE);
  expect(Profile.decode(encodePprof(profile)).location[0]!.line).toEqual([]);
  expect(contentOf(parsePprof(encodePprof(profile)))).toEqual(contentOf(profile));
});
