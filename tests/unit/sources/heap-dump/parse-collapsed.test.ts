import { expect, test } from 'vitest';
import { frameAt, stackFrames } from '../../../../src/model/heap-profile.js';
import { parseCollapsed } from '../../../../src/sources/heap-dump/parse-collapsed.js';

const parse = (text: string) => parseCollapsed(Buffer.from(text));

test('the innermost function is the last, and its bytes follow', () => {
  const profile = parse(
    '# made by hand\nmain;new (a b);alloc 12 bytes 100\r\nmain 7\n\nmain;new (a b);alloc 12 bytes 1',
  );
  const names = Array.from(stackFrames(profile, 0), (frame) => frameAt(profile, frame).name);
  expect(names).toEqual(['alloc 12 bytes', 'new (a b)', 'main']);
  expect(Array.from(profile.samples.liveBytes)).toEqual([101, 7]);
  expect(Array.from(profile.samples.liveObjects)).toEqual([Number.NaN, Number.NaN]);
});

test.each([
  ['two counts', 'a;b 1 2\na;c 3 4\n', /difference of two profiles/],
  ['no count', 'a;b 1\na;c\n', /line 2: .*received "a;c"/],
  ['a count that is too large', 'a 99999999999999999999\n', /no collapsed stack/],
  ['nothing', '# nothing\n', /there is no stack/],
])('%s is refused', (_, text, message) => {
  expect(() => parse(text)).toThrow(message);
});
