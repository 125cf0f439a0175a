import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  parseResidentPages,
  readPeakResidentBytes,
  readResidentBytes,
} from '../../../../src/sources/procfs/resident-memory.js';

describe('resident memory', () => {
  it('takes the second field of statm', () => {
    expect(parseResidentPages('149604 12056 10886 7 0 20841 0\n')).toBe(12056);
    expect(parseResidentPages('')).toBeUndefined();
    expect(parseResidentPages('1 x 3 4')).toBeUndefined();
  });

  it('never throws on any text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const pages = parseResidentPages(text);
        expect(pages === undefined || pages >= 0).toBe(true);
      }),
    );
  });

  it('reads this process, and nothing of one that is gone', () => {
    const resident = readResidentBytes('self') as number;
    expect(resident).toBeGreaterThan(10 * 2 ** 20);
    expect(Math.abs(resident - process.memoryUsage.rss()) / resident).toBeLessThan(0.2);
    expect(readPeakResidentBytes('self')).toBeGreaterThan(10 * 2 ** 20);
    expect(readResidentBytes(0x7fffffff)).toBeUndefined();
    expect(readPeakResidentBytes(0x7fffffff)).toBeUndefined();
  });
});
