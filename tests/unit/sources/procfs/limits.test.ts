import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseLimits } from '../../../../src/sources/procfs/limits.js';

const TEXT = `Limit                     Soft Limit           Hard Limit           Units     
Max cpu time              unlimited            unlimited            seconds   
Max file size             unlimited            unlimited            bytes     
Max open files            1024                 524288               files     
Max nice priority         0                    0                    
Max realtime timeout      unlimited            unlimited            us        
`;

test('the rows by name', () => {
  expect(parseLimits(TEXT)).toEqual({
    'Max cpu time': { soft: Infinity, hard: Infinity },
    'Max file size': { soft: Infinity, hard: Infinity },
    'Max open files': { soft: 1024, hard: 524288 },
    'Max nice priority': { soft: 0, hard: 0 },
    'Max realtime timeout': { soft: Infinity, hard: Infinity },
  });
});

test('the kernel at hand', () => {
  const limits = parseLimits(readFileSync('/proc/self/limits', 'latin1'));
  expect(limits['Max open files']?.soft).toBeGreaterThan(0);
  expect(Object.keys(limits).length).toBeGreaterThanOrEqual(14);
});

test('any text never throws', () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.nat(TEXT.length),
      (text, at) => void parseLimits(TEXT.slice(0, at) + text + TEXT.slice(at)),
    ),
  );
});
