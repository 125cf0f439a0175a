import { expect, test } from 'vitest';
import { parseLimit } from '../../../src/cli/watch-options.js';
import { eventLine } from '../../../src/cli/watch-talk.js';

const say = (limit: string, event: Parameters<typeof eventLine>[0]) =>
  eventLine(event, { of: 'rss', limit: parseLimit(limit) });

test('a limit is named as it was typed, and in the unit of the figure beside it', () => {
  expect(say('500MB', { kind: 'over', atMs: 0, bytes: 600e6 })).toBe(
    'RSS is 572 MiB, over the limit of 500MB (477 MiB)',
  );
  expect(say('500MiB', { kind: 'over', atMs: 0, bytes: 600e6 })).toBe('RSS is 572 MiB, over the limit of 500 MiB');
  expect(say('+50MB/h', { kind: 'over', atMs: 0, bytes: 60e6 })).toBe(
    'growth of RSS is 57.2 MiB/h, over the limit of +50MB/h (47.7 MiB/h)',
  );
});

test('what took less than a millisecond is not said to have taken none', () => {
  const action = { kind: 'action', atMs: 0, action: 'purge', done: true, detail: 'purged all arenas' } as const;
  expect(say('500MB', { ...action, beforeBytes: 6e8, afterBytes: 4e8, tookMs: 0.41 })).toMatch(/ in 0\.4 ms: RSS /);
  expect(say('500MB', { ...action, beforeBytes: 6e8, afterBytes: 4e8, tookMs: 1234 })).toMatch(/ in 1\.2 s: RSS /);
});
