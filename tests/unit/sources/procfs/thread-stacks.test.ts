import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseStackPointer, readThreadStacks } from '../../../../src/sources/procfs/thread-stacks.js';

test.each([
  ['232 0xd 0x7ffd2e6c0 0x400 0xffffffff 0x0 0x8 0x7ffd2e6b0 0x7f2a4c0\n', 0x7ffd2e6b0],
  ['-1 0x7ffd2e6b0 0x7f2a4c0\n', 0x7ffd2e6b0],
  ['running\n', undefined],
  ['0 0x0 0x0 0x0 0x0 0x0 0x0 0x0 0x0\n', undefined],
  ['', undefined],
])('%j', (text, pointer) => {
  expect(parseStackPointer(text)).toBe(pointer);
});

test('any text never throws', () => {
  fc.assert(fc.property(fc.string(), (text) => void parseStackPointer(text)));
});

test('the threads of this process, each with its name', () => {
  const threads = readThreadStacks('self');
  expect(threads.map(({ threadId }) => threadId)).toContain(process.pid);
  expect(threads.every(({ name }) => name.length > 0)).toBe(true);
  expect(() => readThreadStacks(2 ** 30)).toThrow(/ENOENT/);
});
