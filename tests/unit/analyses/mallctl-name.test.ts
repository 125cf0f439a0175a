import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { explainAbsentKey, readMallctlName } from '../../../src/analyses/mallctl-name.js';
import { findMallctlKey } from '../../../src/model/mallctl-keys.js';

describe('a name', () => {
  test.each([
    ['stats.allocated', 'stats.allocated'],
    ['stats.arenas.all.pdirty', 'stats.arenas.4096.pdirty'],
    ['stats.arenas.0.bins.3.nmalloc', 'stats.arenas.0.bins.3.nmalloc'],
    ['arena.all.purge', 'arena.4096.purge'],
    ['arena.4096.decay', 'arena.4096.decay'],
    ['arena.7.dirty_decay_ms', 'arena.7.dirty_decay_ms'],
  ])('%s is %s', (typed, name) => {
    expect(readMallctlName(typed)).toMatchObject({ kind: 'found', name });
  });

  test.each([
    // jemalloc would look behind its table of arenas, and 5.3.1 ends the process.
    ['arena.4096.dirty_decay_ms', 'jem decay PID --dirty-ms N'],
    ['arena.all.muzzy_decay_ms', 'jem decay PID --muzzy-ms N'],
    ['arena.all.retain_grow_limit', 'arena.0.retain_grow_limit'],
    ['arena.<i>.purge', 'arena.0.purge'],
    ['stats.arenas.<i>.bins.<j>.nmalloc', 'stats.arenas.0.bins.0.nmalloc'],
    ['dirty_decay_ms', 'arena.<i>.dirty_decay_ms'],
    ['stats.alocated', 'stats.allocated'],
    ['xyzzyxyzzyxyzzy', 'docs/mallctl-keys.md'],
  ])('%s is none: %s', (typed, hint) => {
    const read = readMallctlName(typed);
    expect(read.kind).toBe('wrong');
    expect(read.kind === 'wrong' && read.hint).toContain(hint);
  });

  test('is found or has a message, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.stringMatching(/^(arena|stats\.arenas)\.[a-z0-9<>]{1,5}\.[a-z_]+$/)),
        (text) => {
          const read = readMallctlName(text);
          expect(read.kind === 'found' ? read.name : read.message).not.toBe('');
        },
      ),
    );
  });
});

describe('an absent key', () => {
  const absent = (name: string, version: string | undefined, arenas?: number) =>
    explainAbsentKey(findMallctlKey(name)!, version, arenas);

  test('came later, needs another, or has no such index', () => {
    expect(absent('arena.0.name', '5.3.0-0-g54eaed1d')).toBe('not in jemalloc 5.3.0: it came with 5.3.1');
    expect(absent('prof.active', '5.3.0')).toMatch(/^it needs /);
    expect(absent('stats.arenas.77.pdirty', '5.3.0', 9)).toContain('(arenas.narenas is 9)');
    expect(absent('arena.77.dirty_decay_ms', undefined)).toBe('there is nothing at this index');
    expect(absent('version', '5.3.0')).toBe('this jemalloc does not have it');
  });
});
