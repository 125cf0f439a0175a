import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pressKey, splitKeys, type TopState } from '../../../src/cli/top-keys.js';

const START: TopState = { sort: 'rss', reversed: false, scroll: 0, help: false, paused: false, intervalMs: 2000 };
const ROOM = { page: 10, furthest: 25 };

function press(keys: readonly string[], from: Partial<TopState> = {}): TopState {
  return keys.reduce<TopState>(
    (state, key) => {
      const outcome = pressKey(state, key, ROOM);
      return 'state' in outcome ? outcome.state : state;
    },
    { ...START, ...from },
  );
}

describe('keys', () => {
  test('of columns sort by them, from the top; again: the other way round', () => {
    expect(press(['f'], { scroll: 5 })).toMatchObject({ sort: 'fragmentation', reversed: false, scroll: 0 });
    expect(press(['f', 'f'])).toMatchObject({ sort: 'fragmentation', reversed: true });
    expect(press(['f', 'f', 'a'])).toMatchObject({ sort: 'allocated', reversed: false });
    expect(press(['r'])).toMatchObject({ sort: 'rss', reversed: true });
  });

  test('scroll, no further than there is something', () => {
    expect(press(['\u001b[B', 'j', '\u001b[A']).scroll).toBe(1);
    expect(press(['k']).scroll).toBe(0);
    expect(press(['\u001b[6~', '\u001b[6~', '\u001b[6~']).scroll).toBe(25);
    expect(press(['\u001b[F', '\u001b[5~']).scroll).toBe(15);
    expect(press(['\u001b[H'], { scroll: 9 }).scroll).toBe(0);
    // Processes have gone since.
    expect(press(['k'], { scroll: 90 }).scroll).toBe(24);
  });

  test('change the time between two looks, within bounds', () => {
    expect(press(['+']).intervalMs).toBe(5000);
    expect(press(['-']).intervalMs).toBe(1000);
    expect(press(Array(20).fill('-')).intervalMs).toBe(100);
    expect(press(Array(20).fill('+')).intervalMs).toBe(60_000);
    expect(press(['-'], { intervalMs: 1500 }).intervalMs).toBe(1000);
  });

  test('hold still, and look at once when going on', () => {
    expect(press([' '])).toMatchObject({ paused: true });
    expect(pressKey({ ...START, paused: true }, ' ', ROOM)).toMatchObject({ kind: 'look', state: { paused: false } });
    expect(pressKey(START, '\u000c', ROOM).kind).toBe('look');
  });

  test('show help, from which any key leads back', () => {
    expect(press(['h']).help).toBe(true);
    expect(press(['?', 'f'])).toMatchObject({ help: false, sort: 'rss' });
    expect(press(['h', 'q']).help).toBe(false);
  });

  test('quit and suspend', () => {
    expect(pressKey(START, 'q', ROOM).kind).toBe('quit');
    expect(pressKey({ ...START, help: true }, '\u0003', ROOM).kind).toBe('quit');
    expect(pressKey(START, '\u001a', ROOM).kind).toBe('suspend');
  });

  test('that mean nothing change nothing', () => {
    for (const key of ['\u001b', 'é', 'Q', '\u001b[31~', '\u001bOP']) expect(press([key])).toEqual(START);
  });
});

const PIECES = [
  '\u001b',
  '[',
  'O',
  'A',
  'B',
  'F',
  '5~',
  '6~',
  '1;5',
  'j',
  'k',
  'h',
  ' ',
  '+',
  '-',
  '\u0000',
  '\u001b[B',
];

describe('what a terminal sends', () => {
  test('is divided into keys', () => {
    expect(splitKeys('fq')).toEqual(['f', 'q']);
    expect(splitKeys('\u001b[A\u001b[6~j\u001bOB\u001b')).toEqual(['\u001b[A', '\u001b[6~', 'j', '\u001bOB', '\u001b']);
    expect(splitKeys('é🦊')).toEqual(['é', '🦊']);
    expect(splitKeys('\u001b[1;5Aq')).toEqual(['\u001b[1;5A', 'q']);
    expect(splitKeys('')).toEqual([]);
  });

  test('is all there in the keys, whatever it is', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom(...PIECES), fc.string())), (pieces) => {
        const text = pieces.join('');
        expect(splitKeys(text).join('')).toBe(text);
        const { scroll } = press(splitKeys(text).filter((key) => key !== 'q'));
        expect(scroll).toBeGreaterThanOrEqual(0);
        expect(scroll).toBeLessThanOrEqual(ROOM.furthest);
      }),
    );
  });
});
