import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jemalloc } from '../../../../src/control/mallctl/jemalloc.js';
import { updateMallctl, writeMallctl } from '../../../../src/control/mallctl/write-mallctl.js';
import { JemkitError } from '../../../../src/errors.js';
import { readMallctl } from '../../../../src/sources/mallctl/read-mallctl.js';

// What is judged before jemalloc is asked, so that it is the same with and without it. JavaScript's callers have no types.
const read = readMallctl as (name: string) => { kind: string };
const write = writeMallctl as (name: string, value?: unknown) => { kind: string; expected?: string };
const update = updateMallctl as (name: string, value: unknown) => { kind: string };

describe('reading', () => {
  test.each([
    ['stats.alocated', 'unknown-key'],
    ['stats.arenas.pdirty', 'unknown-key'],
    ['arena.0.purge', 'wrong-access'],
    ['prof.dump', 'wrong-access'],
    ['tcache.create', 'refused'],
    ['arenas.lookup', 'refused'],
    ['thread.tcache.ncached_max.read_sizeclass', 'refused'],
  ])('%s: %s', (name, kind) => expect(read(name).kind).toBe(kind));
});

describe('writing', () => {
  test.each([
    'arena.0.reset',
    'arena.4096.destroy',
    'arena.0.extent_hooks',
    'thread.arena',
    'tcache.create',
    'tcache.flush',
    'tcache.destroy',
    'arenas.create',
    'experimental.hooks.prof_backtrace',
  ])('leaves %s alone', (name) => {
    for (const value of [undefined, 1, 1n, 'x', true]) {
      expect(write(name, value).kind).toBe('refused');
      expect(update(name, value).kind).toBe('refused');
    }
  });

  test.each([
    ['stats.allocated', 1],
    ['version', 'x'],
    ['opt.retain', true],
  ])('does not write %s', (name, value) => expect(write(name, value).kind).toBe('wrong-access'));

  test.each<[string, unknown, RegExp]>([
    ['background_thread', 1, /^true or false$/],
    ['background_thread', undefined, /^true or false$/],
    ['arena.0.dirty_decay_ms', 1.5, /^a whole number from -\d+ to \d+ \(ms\)$/],
    ['arena.0.dirty_decay_ms', 2 ** 60, /^a whole number/],
    ['arena.0.dirty_decay_ms', 2n ** 63n, /^a whole number/],
    ['arena.0.dirty_decay_ms', Number.NaN, /^a whole number/],
    ['arena.0.dirty_decay_ms', '5000', /^a whole number/],
    ['arena.0.oversize_threshold', -1, /^a whole number from 0 to 18446744073709551615 \(bytes\)$/],
    ['prof.reset', true, /or no value, which keeps the sampling distance$/],
    ['arena.0.purge', 1, /^no value$/],
    ['prof.dump', 'a\0b', /^text/],
    ['prof.dump', 'x'.repeat(4095), /^text/],
    ['thread.prof.name', 'é'.repeat(2048), /^text/],
    ['epoch', undefined, /^a whole number/],
  ])('%s does not take %s', (name, value, expected) => {
    const outcome = write(name, value);
    expect(outcome.kind).toBe('wrong-value');
    expect(outcome.expected).toMatch(expected);
  });

  test('never throws, whatever the name and value', () => {
    const name = fc.oneof(
      fc.string(),
      fc.constantFrom('stats.allocated', 'arena.0.reset', 'tcache.flush', 'opt.abort', 'nonsense.0.x'),
    );
    fc.assert(fc.property(name, fc.anything(), (key, value) => typeof write(key, value).kind === 'string'));
  });
});

describe('jemalloc', () => {
  const thrown = (act: () => unknown): JemkitError => {
    try {
      act();
    } catch (error) {
      if (error instanceof JemkitError) return error;
    }
    throw new Error('it did not throw a JemkitError');
  };

  test('names the nearest key', () => {
    const error = thrown(() => jemalloc.read('stats.alocated' as never));
    expect(error).toMatchObject({
      code: 'ERR_JEM_MALLCTL',
      exitCode: 2,
      message: "jemalloc has no key 'stats.alocated'",
      hint: "did you mean 'stats.allocated'?",
    });
    expect(thrown(() => jemalloc.read('stats.arenas.0.pdrity' as never)).hint).toContain('stats.arenas.<i>.pdirty');
    expect(thrown(() => jemalloc.write('qqqqqqqqqqqq' as never)).hint).toContain('docs/mallctl-keys.md');
  });

  test('says why it does not do it', () => {
    expect(thrown(() => jemalloc.write('arena.0.reset' as never)).message).toMatch(
      /^jemkit leaves 'arena\.0\.reset' alone: it frees/,
    );
    expect(thrown(() => jemalloc.read('arena.0.purge' as never)).message).toBe(
      "'arena.0.purge' holds no value: writing without one triggers it",
    );
    expect(thrown(() => jemalloc.update('prof.prefix' as never, 'x' as never)).message).toContain(
      'can only be written',
    );
    expect(thrown(() => jemalloc.write('arenas.dirty_decay_ms', 1.5)).message).toContain('expected a whole number');
  });
});
