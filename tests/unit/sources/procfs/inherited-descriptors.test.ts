import { closeSync, openSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  inferInheritedDescriptors,
  type OpenDescriptor,
  readOwnDescriptors,
} from '../../../../src/sources/procfs/inherited-descriptors.js';

const descriptors = (...rows: [number, string, string?][]) =>
  new Map(
    rows.map(([number, target, mode]): [number, OpenDescriptor] => [
      number,
      { target, writable: (mode ?? 'rw').includes('w') },
    ]),
  );

const EPOLL = 'anon_inode:[eventpoll]';
/** What a Node 20 without anything given has open from `first` on. */
const nodesOwn = (first: number): [number, string, string?][] => [
  [first, EPOLL],
  [first + 1, 'pipe:[100]', 'r'],
  [first + 2, 'pipe:[100]', 'w'],
  [first + 3, 'anon_inode:[eventfd]'],
  [first + 4, 'anon_inode:[io_uring]'],
  [first + 5, 'pipe:[101]', 'r'],
  [first + 6, 'pipe:[101]', 'w'],
];
const STDIO: [number, string, string?][] = [
  [0, '/dev/pts/0'],
  [1, 'pipe:[7]', 'w'],
  [2, '/dev/null', 'w'],
];

describe('inferInheritedDescriptors', () => {
  test('the standard streams, and nothing of Node’s own', () => {
    expect(inferInheritedDescriptors(descriptors(...STDIO, ...nodesOwn(3)), false)).toEqual([0, 1, 2]);
  });

  test('everything below Node’s first is given: sockets of socket activation, pipes of which both ends came', () => {
    const given: [number, string, string?][] = [
      [3, 'socket:[9]'],
      [4, 'pipe:[8]', 'r'],
      [5, 'pipe:[8]', 'w'],
      [6, '/dev/null'],
    ];
    expect(inferInheritedDescriptors(descriptors(...STDIO, ...given, ...nodesOwn(7)), true)).toEqual([
      0, 1, 2, 3, 4, 5, 6,
    ]);
  });

  test('above it: files, terminals and one end of a pipe', () => {
    const given: [number, string, string?][] = [
      [20, '/var/log/app'],
      [21, 'pipe:[55]', 'r'],
      [22, '/dev/pts/3'],
      [23, '/memfd:x (deleted)'],
      [24, '/dev/null'],
    ];
    expect(inferInheritedDescriptors(descriptors(...STDIO, ...nodesOwn(3), ...given), false)).toEqual([
      0, 1, 2, 20, 21, 22, 23, 24,
    ]);
  });

  test('above it a socket is given, unless an inspector listens', () => {
    const all = descriptors(...STDIO, ...nodesOwn(3), [20, 'socket:[9]'], [21, '/dev/null']);
    expect(inferInheritedDescriptors(all, false)).toEqual([0, 1, 2, 20, 21]);
    expect(inferInheritedDescriptors(all, true)).toEqual([0, 1, 2]);
  });

  test('a closed standard stream stays closed', () => {
    expect(inferInheritedDescriptors(descriptors([1, 'pipe:[7]', 'w'], ...nodesOwn(3)), false)).toEqual([1]);
  });

  test('the second descriptor of a pipe’s one end is given too', () => {
    expect(inferInheritedDescriptors(descriptors(...STDIO, ...nodesOwn(3), [30, 'pipe:[7]', 'w']), false)).toEqual([
      0, 1, 2, 30,
    ]);
  });

  test('of any set it names some, in order', () => {
    const target = fc.oneof(
      fc.constantFrom(EPOLL, 'anon_inode:[eventfd]', 'pipe:[1]', 'pipe:[2]', 'socket:[1]', '/dev/null', ''),
      fc.string(),
    );
    fc.assert(
      fc.property(
        fc.dictionary(fc.nat(40).map(String), fc.record({ target, writable: fc.boolean() })),
        fc.boolean(),
        (rows, listens) => {
          const all = new Map(Object.entries(rows).map(([number, row]) => [Number(number), row]));
          const given = inferInheritedDescriptors(all, listens);
          expect(given).toEqual([...given].sort((a, b) => a - b));
          for (const number of given) expect(all.has(number)).toBe(true);
        },
      ),
    );
  });
});

test('the descriptors of this process, and how they are open', () => {
  const file = openSync(import.meta.filename, 'r');
  const sink = openSync('/dev/null', 'w');
  try {
    const own = readOwnDescriptors();
    expect(own.get(file)).toEqual({ target: import.meta.filename, writable: false });
    expect(own.get(sink)).toEqual({ target: '/dev/null', writable: true });
  } finally {
    closeSync(file);
    closeSync(sink);
  }
});
