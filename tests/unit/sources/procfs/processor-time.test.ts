import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseProcessorTime, readProcessorTime } from '../../../../src/sources/procfs/processor-time.js';

const STAT = '4242 (a) b ((c) S 1 4242 4242 0 -1 4194304 900 0 0 0 150 25 0 0 20 0 11 0 12345 1000000 5000';

describe('processor time', () => {
  it('reads utime and stime behind any name', () => {
    expect(parseProcessorTime(STAT)).toEqual({ userSeconds: 1.5, systemSeconds: 0.25 });
  });

  it('gives nothing for another text', () => {
    expect(parseProcessorTime('')).toBeUndefined();
    expect(parseProcessorTime('1 (x) S 1 2 3')).toBeUndefined();
    fc.assert(fc.property(fc.string(), (text) => void parseProcessorTime(text)));
  });

  it('reads this process, and nothing of one that is gone', () => {
    const time = readProcessorTime('self');
    const { user } = process.cpuUsage();
    expect(Math.abs((time?.userSeconds ?? 0) - user / 1e6)).toBeLessThan(1);
    expect(readProcessorTime(0x7fffffff)).toBeUndefined();
  });
});
