import { TOP_SORTS, type TopSort } from '../model/top-process.js';

/** What the keys of `jem top` change. */
export interface TopState {
  readonly sort: TopSort;
  readonly reversed: boolean;
  readonly scroll: number;
  readonly help: boolean;
  readonly paused: boolean;
  readonly intervalMs: number;
}

/** How far scrolling goes. */
export interface TopRoom {
  /** Processes that fit the screen. */
  readonly page: number;
  readonly furthest: number;
}

/** What a key asks for besides another state. */
export type TopKeyOutcome =
  | { readonly kind: 'state'; readonly state: TopState }
  | { readonly kind: 'look'; readonly state: TopState }
  | { readonly kind: 'quit' }
  | { readonly kind: 'suspend' };

const INTERVALS_MS = [100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000] as const;

const SCROLLS: Readonly<Record<string, (scroll: number, room: TopRoom) => number>> = {
  '\u001b[A': (scroll) => scroll - 1,
  '\u001bOA': (scroll) => scroll - 1,
  k: (scroll) => scroll - 1,
  '\u001b[B': (scroll) => scroll + 1,
  '\u001bOB': (scroll) => scroll + 1,
  j: (scroll) => scroll + 1,
  '\u001b[5~': (scroll, { page }) => scroll - page,
  '\u001b[6~': (scroll, { page }) => scroll + page,
  '\u001b[H': () => 0,
  '\u001bOH': () => 0,
  '\u001b[1~': () => 0,
  '\u001b[F': (_, { furthest }) => furthest,
  '\u001bOF': (_, { furthest }) => furthest,
  '\u001b[4~': (_, { furthest }) => furthest,
};

const SORT_OF_KEY: ReadonlyMap<string, TopSort> = new Map(
  Object.entries(TOP_SORTS).map(([sort, key]) => [key, sort as TopSort]),
);

/** Divides what a terminal sent into keys: several may come at once, and one key may be several characters. */
export function splitKeys(text: string): string[] {
  return text.match(/\u001b(?:\[[0-9;]*[A-Za-z~]|O[A-Za-z]|)|[\s\S]/gu) ?? [];
}

/** What a key does. One that means nothing leaves the state as it is. */
export function pressKey(state: TopState, key: string, room: TopRoom): TopKeyOutcome {
  if (key === '\u0003' || (key === 'q' && !state.help)) return { kind: 'quit' };
  if (key === '\u001a') return { kind: 'suspend' };
  if (key === '\u000c') return { kind: 'look', state };
  if (key === 'h' || key === '?') return { kind: 'state', state: { ...state, help: !state.help } };
  // On the page of help every other key leads back.
  if (state.help) return { kind: 'state', state: { ...state, help: false } };
  if (key === ' ') {
    const paused = !state.paused;
    return { kind: paused ? 'state' : 'look', state: { ...state, paused } };
  }
  if (key === '+' || key === '-') {
    const intervalMs =
      key === '+'
        ? (INTERVALS_MS.find((ms) => ms > state.intervalMs) ?? state.intervalMs)
        : (INTERVALS_MS.findLast((ms) => ms < state.intervalMs) ?? state.intervalMs);
    return { kind: 'look', state: { ...state, intervalMs } };
  }
  const scrolled = SCROLLS[key]?.(Math.min(state.scroll, room.furthest), room);
  if (scrolled !== undefined) {
    return { kind: 'state', state: { ...state, scroll: Math.max(0, Math.min(scrolled, room.furthest)) } };
  }
  const sort = SORT_OF_KEY.get(key);
  if (sort === undefined) return { kind: 'state', state };
  return { kind: 'state', state: { ...state, sort, reversed: sort === state.sort && !state.reversed, scroll: 0 } };
}
