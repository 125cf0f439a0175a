import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseLimit } from '../../../../src/sources/procfs/limits.js';

const TEXT = `Limit                     Soft Limit           Hard Limit           Units     
Max cpu time              unlimited            unlimited            seconds   
Max open files            1024                 524288               files     
Max nice priority         0                    0                    
`;

test.each([
  ['Max cpu time', { soft: Infinity, hard: Infinity }],
  ['Max open files', { soft: 1024, hard: 524288 }],
  ['Max nice priority', { soft: 0, hard: 0 }],
  ['open files', undefined],
  ['Max open', undefined],
  ['Limit', undefined],
  ['', undefined],
])('%s', (name, limit) => {
  expect(parseLimit(TEXT, name)).toEqual(limit);
});

test('the kernel at hand', () => {
  expect(parseLimit(readFileSync('/proc/self/limits', 'latin1'), 'Max open files')?.soft).toBeGreaterThan(0);
});

test('any text never throws', () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.nat(TEXT.length),
      (text, at) => void parseLimit(TEXT.slice(0, at) + text + TEXT.slice(at), 'Max open files'),
    ),
  );
});
