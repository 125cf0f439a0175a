import fc from 'fast-check';
import { expect, test } from 'vitest';
import { frameAt, type HeapProfile, stackFrames } from '../../../src/model/heap-profile.js';
import { markThreadPool, THREAD_POOL } from '../../../src/model/mark-thread-pool.js';
import { type HeldStack, native, profileOf, profiles, script } from '../../support/heap-profiles.js';

const NODE = '/usr/bin/node';
const worker = native(`${NODE} worker`, 'node');
const start = [native('/lib/libc.so.6 start_thread', 'libc'), native('/lib/libc.so.6 clone3', 'libc')];
const inflate = native(`${NODE} node::zlib::inflate`, 'node');
const vips = native('/app/node_modules/sharp/libvips.so vips_malloc');
const asynchronous = { name: '(asynchronous)', kind: 'marker' } as const;

/** Stacks by name, outermost first, with their bytes. */
const stacksOf = (profile: HeapProfile) =>
  Array.from({ length: profile.samples.count }, (_, at) => {
    const names = Array.from(
      stackFrames(profile, profile.samples.stack[at]!),
      (frame) => frameAt(profile, frame).name,
    ).reverse();
    return [names.join(' > '), profile.strings[profile.samples.thread[at]!], profile.samples.liveBytes[at]];
  });

const mark = (...held: HeldStack[]) => stacksOf(markThreadPool(profileOf(held)));

test('a stack that begins in libuv’s pool gets a frame behind its outermost one', () => {
  expect(mark({ frames: [inflate, worker, ...start], bytes: 10 })).toEqual([
    ['(thread pool) > clone3 > start_thread > worker > node::zlib::inflate', '', 10],
  ]);
  const marker = markThreadPool(profileOf([{ frames: [inflate, worker, ...start], bytes: 10 }]));
  expect(frameAt(marker, stackFrames(marker, 0).at(-1)!)).toMatchObject({ name: THREAD_POOL, kind: 'marker' });
});

test.each([
  ['musl has one frame below it', [inflate, worker, start[0]!]],
  [
    'the C library has no symbols',
    [inflate, worker, native('/lib/libc.so.6', 'libc'), native('/lib/libc.so.6', 'libc')],
  ],
  ['the walk ended at it', [inflate, worker]],
  ['libuv is a library of its own', [native('/usr/lib/libuv.so.1 worker'), ...start]],
])('also where %s', (_, frames) => {
  expect(mark({ frames, bytes: 1 })[0]?.[0]).toMatch(/^\(thread pool\) > /);
});

test.each([
  ['another thread of node', [inflate, native(`${NODE} node::PlatformWorkerThread`, 'node'), ...start]],
  ['a function of that name in an add-on', [native('/app/a.node worker'), ...start]],
  ['a function that it calls', [worker, native(`${NODE} main`, 'node'), ...start]],
  ['a stack whose asker is known', [inflate, worker, ...start, asynchronous, script('pack /app/a.js:3')]],
])('not %s', (_, frames) => {
  expect(mark({ frames, bytes: 1 })[0]?.[0]).not.toContain(THREAD_POOL);
});

test('where the walk ended before, the thread tells, and no other thread with the same stack', () => {
  expect(
    mark(
      { frames: [inflate, worker, ...start], bytes: 1, thread: '4' },
      { frames: [vips], bytes: 20, thread: '4' },
      { frames: [vips], bytes: 300, thread: '9' },
      { frames: [vips], bytes: 4000 },
    ),
  ).toEqual([
    ['(thread pool) > clone3 > start_thread > worker > node::zlib::inflate', '4', 1],
    ['(thread pool) > vips_malloc', '4', 20],
    ['vips_malloc', '9', 300],
    ['vips_malloc', '', 4000],
  ]);
});

test('a thread with JavaScript of its own is no thread of the pool, whatever its name', () => {
  expect(
    mark(
      { frames: [inflate, worker, ...start], bytes: 1, thread: 'shared' },
      { frames: [vips], bytes: 2, thread: 'shared' },
      { frames: [vips, script('load /app/a.js:1')], bytes: 3, thread: 'shared' },
    ).map(([names]) => names),
  ).toEqual([
    '(thread pool) > clone3 > start_thread > worker > node::zlib::inflate',
    'vips_malloc',
    'load > vips_malloc',
  ]);
});

test('twice is as once, and without a pool the profile is the same object', () => {
  const once = markThreadPool(profileOf([{ frames: [inflate, worker, ...start], bytes: 10 }]));
  expect(stacksOf(markThreadPool(once))).toEqual(stacksOf(once));
  fc.assert(
    fc.property(profiles, (profile) => {
      expect(markThreadPool(profile)).toBe(profile);
    }),
  );
});

test('nothing is lost of any profile', () => {
  fc.assert(
    fc.property(profiles, (profile) => {
      const sum = (values: Float64Array) => values.reduce((all, value) => all + value, 0);
      const stacks = stacksOf(profile).map(([names, thread, bytes]) => ({ names, thread, bytes }));
      const held: HeldStack[] = Array.from({ length: profile.samples.count }, (_, at) => ({
        frames: [
          ...Array.from(stackFrames(profile, profile.samples.stack[at]!), (frame) => frameAt(profile, frame)),
          ...(at % 2 === 0 ? [worker, ...start] : []),
        ],
        bytes: profile.samples.liveBytes[at]!,
        thread: String(stacks[at]!.thread),
      }));
      const marked = markThreadPool(profileOf(held));
      expect(sum(marked.samples.liveBytes)).toBeCloseTo(sum(profile.samples.liveBytes), 3);
    }),
  );
});
